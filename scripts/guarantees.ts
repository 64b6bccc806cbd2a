/** A demand of a specification, as a document lists it. */
export interface Requirement {
  readonly text: string;
  /** "project name" of each test that holds it. */
  readonly tests: readonly string[];
  /** Why no test holds it, in words. */
  readonly reasons: readonly string[];
}

/** The list items that begin with **MUST** or **SHOULD**, and in each the items "- `project` name" and others. */
export function parseRequirements(document: string): Requirement[] {
  return [
    ...document.matchAll(
      /^- (\*\*(?:MUST|SHOULD)[^*]*\*\* .+(?:\n {2}[^-\s].*)*)((?:\n {2}- .+(?:\n {4}.+)*)*)/gm,
    ),
  ].map(([, text = "", below = ""]) => {
    const items = [...below.matchAll(/^ {2}- (.+(?:\n {4}.+)*)/gm)].map(([, item = ""]) => item);
    const tests = items.flatMap((item) => {
      const [, project, name] = /^`(\w+)` (.+)$/.exec(item) ?? [];
      return project === undefined ? [] : [`${project} ${name}`];
    });
    return { text, tests, reasons: items.filter((item) => !item.startsWith("`")) };
  });
}

/** What is wrong, a sentence each; a requirement has a test that exists, or a reason to have none. */
export function problemsOfRequirements(
  requirements: readonly Requirement[],
  existing: ReadonlySet<string>,
): string[] {
  if (requirements.length === 0) return ["no requirement is in the document"];
  return requirements.flatMap(({ text, tests, reasons }) => [
    ...(tests.length + reasons.length === 0 ? [`neither a test nor a reason: ${text}`] : []),
    ...tests.filter((test) => !existing.has(test)).map((test) => `a test that does not exist: ${test}`),
  ]);
}

export interface Guarantee {
  readonly number: number;
  readonly title: string;
  /** "project name" of each test that holds it. */
  readonly tests: readonly string[];
}

/** How many guarantees Gavel gives; the document must number them from 1, without a gap. */
const count = 12;

/** The sections `## N. …` of the document and the list items "- `project` name" in each. */
export function parseGuarantees(document: string): Guarantee[] {
  return document
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const [, number, title] = /^(\d+)\. (.+)$/m.exec(section) ?? [];
      if (number === undefined || title === undefined) return [];
      const tests = [...section.matchAll(/^- `(\w+)` (.+)$/gm)].map(
        ([, project, name]) => `${project} ${name}`,
      );
      return [{ number: Number(number), title, tests }];
    });
}

/** What is wrong, a sentence each; empty when every guarantee is held. */
export function problemsOf(guarantees: readonly Guarantee[], existing: ReadonlySet<string>): string[] {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const missing = numbers
    .filter((number) => !guarantees.some((guarantee) => guarantee.number === number))
    .map((number) => `guarantee ${number} is not in the document`);
  return [...missing, ...guarantees.flatMap((guarantee) => problemsOfOne(guarantee, existing))];
}

function problemsOfOne({ number, tests }: Guarantee, existing: ReadonlySet<string>): string[] {
  if (tests.length === 0) return [`guarantee ${number} has no test`];
  return tests
    .filter((test) => !existing.has(test))
    .map((test) => `guarantee ${number} names a test that does not exist: ${test}`);
}
