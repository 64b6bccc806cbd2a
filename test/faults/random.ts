/**
 * A seeded source of randomness (sfc32): the same seed gives the same run, on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed / 0x1_0000_0000) | 0;
    this.#c = 0x9e3779b9;
    for (let round = 0; round < 15; round += 1) this.#next();
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** Uniform among the integers `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.unit() < probability;
  }

  pick<Choice>(choices: readonly Choice[]): Choice {
    if (choices.length === 0) throw new Error("nothing to pick from");
    return choices[this.integer(0, choices.length - 1)] as Choice;
  }

  /**
   * A delay in milliseconds with a heavy tail, so that most steps keep their order and a few are
   * overtaken by many others.
   */
  delay(typical: number): number {
    return Math.ceil(this.unit() * typical * (this.chance(0.1) ? 10 : 1));
  }

  /** A generator of its own, so that one part's draws do not shift another part's. */
  fork(): Random {
    return new Random(this.#next());
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
