/**
 * A strict parser of Prometheus's text format (version 0.0.4), written from its specification for
 * these tests: the packages that parse it have not been kept for years.
 */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"`;
const sampleLine = new RegExp(String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)?,?\})? (\S+)$`);
const suffixes: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  counter: [""],
  gauge: [""],
};

/** @throws {Error} for a line or an order that the format does not have. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  let current = "";
  let help = "";
  for (const line of text
    .slice(0, -1)
    .split("\n")
    .filter((one) => one !== "")) {
    const [, keyword, name = "", rest = ""] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? [];
    if (keyword === "HELP") {
      help = rest;
    } else if (keyword === "TYPE") {
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if (suffixes[rest] === undefined) throw new Error(`${rest} is no type`);
      families.set((current = name), { type: rest, help, samples: [] });
    } else {
      const sample = parseSample(line);
      const family = families.get(current);
      if (family === undefined || !suffixes[family.type]?.includes(sample.name.slice(current.length))) {
        throw new Error(`${sample.name} is out of place behind ${current}`);
      }
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labels = "", value = ""] = sampleLine.exec(line) ?? [];
  if (name === undefined || !/^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.test(value)) {
    throw new Error(`no sample: ${line}`);
  }
  const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
    const at = pair.indexOf("=");
    const quoted = pair.slice(at + 2, -1);
    return [pair.slice(0, at), quoted.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one))];
  });
  return {
    name,
    labels: Object.fromEntries(pairs) as Record<string, string>,
    value: Number(value.replace("Inf", "Infinity")),
  };
}

function seriesOf({ name, labels }: Sample): string {
  const pairs = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([name, pairs]);
}

/** Each series once, counters not negative, and a histogram's buckets rising to its count. */
function checkFamily(name: string, { type, samples }: Family): void {
  const keys = samples.map((sample) => seriesOf(sample));
  if (new Set(keys).size < keys.length) throw new Error(`a series of ${name} comes twice`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0)))
    throw new Error(`${name} is negative`);
  if (type !== "histogram") return;
  const series = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }));
  for (const [labels, list] of series) {
    const buckets = list.filter((sample) => sample.name === `${name}_bucket`);
    const count = list.find((sample) => sample.name === `${name}_count`)?.value;
    const rising = buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0));
    if (!rising || buckets.at(-1)?.labels["le"] !== "+Inf" || buckets.at(-1)?.value !== count) {
      throw new Error(`the buckets of ${name}${labels} are no distribution`);
    }
  }
}
