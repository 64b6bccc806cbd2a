import { fromRanges, toRanges } from "./ranges.ts";

/** What one call ended, with one number of attempts and one outcome. */
export interface TrailCall {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Of each of the records, this call included. */
  readonly attempts: number;
  /** Otherwise they became dead letters. */
  readonly isDone: boolean;
  /** In ascending order. */
  readonly offsets: readonly number[];
}

/** What a call is written in differences to: the one before it. */
export interface Origin {
  readonly startedAt: number;
  readonly offset: number;
}

export const noOrigin: Origin = { startedAt: 0, offset: 0 };

/**
 * A call as text of a dozen characters: start, duration, attempts with the outcome, then stretches of
 * offsets, all in base 36 and as differences to the call before. Stretches of one offset are the rule.
 */
export function encodeCall(call: TrailCall, origin: Origin): string {
  const { attempts, endedAt, isDone, offsets, startedAt } = call;
  const numbers = [startedAt - origin.startedAt, endedAt - startedAt, attempts * 2 + (isDone ? 0 : 1)];
  const ranges = toRanges(offsets);
  let before = origin.offset;
  for (let index = 0; index + 1 < ranges.length; index += 2) {
    const [from = 0, to = 0] = [ranges[index], ranges[index + 1]];
    numbers.push(from - before, to - from);
    before = to;
  }
  return numbers.map((number) => number.toString(36)).join(",");
}

/** Behind a call, what the next one is written in differences to. */
export function originBehind({ offsets, startedAt }: TrailCall): Origin {
  return { startedAt, offset: offsets.at(-1) ?? 0 };
}

/** Calls that were written one behind the other, `;` between them, the first one against nothing. */
export function decodeCalls(text: string): TrailCall[] {
  let origin = noOrigin;
  if (text === "") return [];
  return text.split(";").map((line) => {
    const call = decodeCall(line, origin);
    origin = originBehind(call);
    return call;
  });
}

function decodeCall(line: string, origin: Origin): TrailCall {
  const [start = 0, duration = 0, flags = 0, ...stretches] = line
    .split(",")
    .map((each) => parseInt(each, 36));
  const startedAt = origin.startedAt + start;
  const ranges: number[] = [];
  let before = origin.offset;
  for (let index = 0; index + 1 < stretches.length; index += 2) {
    const from = before + (stretches[index] ?? 0);
    before = from + (stretches[index + 1] ?? 0);
    ranges.push(from, before);
  }
  return {
    startedAt,
    endedAt: startedAt + duration,
    attempts: Math.floor(flags / 2),
    isDone: flags % 2 === 0,
    offsets: [...fromRanges(ranges)],
  };
}
