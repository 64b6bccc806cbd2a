import { hash53 } from "../../../src/lib/hash.ts";

export type Listed = "retry" | "reject";

/** How a call is answered: plain data, so that a test in another runtime can ask for it. */
export type Answer =
  /** A whole answer. `listed` makes it name outcomes by offset, of the records that are in the call; or one of all. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly afterMs?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly listed?: Readonly<Record<number, Listed>> | Listed;
    }
  /** Nothing at all, until the caller goes away. */
  | { readonly kind: "hang" }
  /** The connection is reset, before an answer or in the middle of one. */
  | { readonly kind: "cut"; readonly when: "before" | "during"; readonly afterMs?: number }
  /** A 200 whose body begins and never ends. */
  | { readonly kind: "hanging-body" }
  /** A 200 with so many bytes of no meaning. */
  | { readonly kind: "huge-body"; readonly bytes: number };

export const done = (afterMs = 0): Answer => ({ kind: "status", status: 200, afterMs });
export const status = (code: number, headers: Readonly<Record<string, string>> = {}): Answer => ({
  kind: "status",
  status: code,
  headers,
});
export const redirect = (location: string): Answer => status(302, { location });

/** A call as a script sees it. */
export interface ScriptedCall {
  readonly endpoint: string;
  /** How often the call's first record has come, this time included. */
  readonly arrival: number;
  readonly deliveries: readonly {
    readonly id: string;
    readonly partition: number;
    readonly offset: number;
    readonly key: string;
  }[];
}

/** What an endpoint answers. */
export type Script =
  | Answer
  /** Says of some records, by `partition/offset`, the same each time they come; the rest is up to another script. */
  | {
      readonly kind: "by-record";
      readonly listed: Readonly<Record<string, Listed>>;
      readonly otherwise: Script;
    }
  /** Answers calls for some keys in a way of their own. */
  | {
      readonly kind: "by-key";
      readonly answers: Readonly<Record<string, Answer>>;
      readonly otherwise: Script;
    }
  /** By how often the first record came; the last one for good. */
  | { readonly kind: "in-turn"; readonly answers: readonly Answer[] }
  /**
   * A share of calls fails, drawn by the seed from the record and how often it came: whatever runs
   * side by side, the same record fares the same.
   */
  | {
      readonly kind: "share";
      readonly seed: number;
      /** From 0 to 1. */
      readonly share: number;
      readonly failing: readonly Answer[];
      readonly otherwise: Answer;
    };

/** The same, where the test and the receiver are one process. */
export type AnyScript = Script | ((call: ScriptedCall) => Answer);

export function answerOf(script: AnyScript, call: ScriptedCall): Answer {
  if (typeof script === "function") return script(call);
  if (script.kind === "by-record") return ofRecords(script, call);
  if (script.kind === "by-key") {
    return script.answers[call.deliveries[0]?.key ?? ""] ?? answerOf(script.otherwise, call);
  }
  if (script.kind === "in-turn") {
    return script.answers[call.arrival - 1] ?? script.answers.at(-1) ?? done();
  }
  return script.kind === "share" ? drawn(script, call) : script;
}

function ofRecords(
  { listed, otherwise }: Extract<Script, { readonly kind: "by-record" }>,
  call: ScriptedCall,
): Answer {
  const told = call.deliveries.flatMap(({ partition, offset }) => {
    const what = listed[`${partition}/${offset}`];
    return what === undefined ? [] : [[offset, what] as const];
  });
  return told.length === 0
    ? answerOf(otherwise, call)
    : { kind: "status", status: 200, listed: Object.fromEntries(told) };
}

function drawn(
  { seed, share, failing, otherwise }: Extract<Script, { readonly kind: "share" }>,
  { deliveries, arrival }: ScriptedCall,
): Answer {
  const draw = `${deliveries[0]?.id}#${arrival}`;
  if (hash53(draw, seed) / 2 ** 53 >= share) return otherwise;
  return failing[hash53(draw, seed + 1) % failing.length] ?? otherwise;
}
