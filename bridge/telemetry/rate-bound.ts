/**
 * Lets a few events of each kind through in a stretch of time and counts the rest: what a client
 * or a broker causes in any number must not fill a disk. Kinds are few and known beforehand, so
 * nothing is forgotten.
 */
export class RateBound {
  readonly #most: number;
  readonly #stretchMs: number;
  readonly #kinds = new Map<string, { since: number; passed: number; leftOut: number }>();

  constructor(most: number, stretchMs: number) {
    this.#most = most;
    this.#stretchMs = stretchMs;
  }

  /** How many were left out since the last one that passed; null when this one is left out too. */
  pass(kind: string, now: number): number | null {
    let state = this.#kinds.get(kind);
    if (state === undefined) this.#kinds.set(kind, (state = { since: now, passed: 0, leftOut: 0 }));
    if (now - state.since >= this.#stretchMs) {
      state.since = now;
      state.passed = 0;
    }
    if (state.passed >= this.#most) {
      state.leftOut++;
      return null;
    }
    state.passed++;
    const { leftOut } = state;
    state.leftOut = 0;
    return leftOut;
  }
}
