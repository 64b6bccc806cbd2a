import type { ReplayFailure } from "../../src/replays/replay.ts";

/** UTF-16 units of an analysis's state: it is in memory, goes into one call, and is written with each slice. */
const mostUnits = 4_000_000;

/** The replay ends: going on would not help. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
  readonly failure: ReplayFailure;

  constructor(failure: ReplayFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

/** A state, or a result, as JSON. @throws {ReplayError} where it is too large. */
export function encodeState(state: unknown): string {
  const text = JSON.stringify(state);
  if (text.length <= mostUnits) return text;
  const detail = `What the analysis keeps of the stretch has more than ${mostUnits} characters`;
  throw new ReplayError({ code: "state-too-large", detail });
}
