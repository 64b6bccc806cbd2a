/**
 * A virtual clock and the queue of what happens next. Nothing waits in real time: the clock jumps
 * to the next step, runs it, and lets every promise that follows from it settle before the next.
 */
interface Step {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Scheduler {
  #now: number;
  #order = 0;
  #steps = 0;
  readonly #heap: Step[] = [];

  constructor(startsAt: number) {
    this.#now = startsAt;
  }

  /** Virtual milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Runs `run` in `delay` milliseconds; steps of one moment keep the order they were asked for in. */
  after(delay: number, run: () => void): void {
    this.#order += 1;
    this.#push({ at: this.#now + Math.max(0, Math.ceil(delay)), order: this.#order, run });
  }

  sleep(delay: number): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  /**
   * Runs steps until `done`, or until none is left, or up to the moment `until`; answers whether
   * `done`. Throws after `maxSteps`, so that a busy loop in virtual time is a failure.
   */
  async run(done: () => boolean, until: number, maxSteps: number): Promise<boolean> {
    await settled();
    for (let count = 0; !done(); count += 1) {
      const step = this.#heap[0];
      if (step === undefined || step.at > until) {
        if (Number.isFinite(until)) this.#now = until;
        return false;
      }
      if (count >= maxSteps) throw new Error(`no end after ${maxSteps} steps, at ${this.#now}`);
      this.#pop();
      this.#now = step.at;
      this.#steps += 1;
      step.run();
      await settled();
    }
    return true;
  }

  /** Runs steps until `promise` settles, for at most `patience` virtual milliseconds. */
  async finish<Result>(promise: Promise<Result>, patience = 600_000): Promise<Result> {
    let pending = true;
    const end = (): void => {
      pending = false;
    };
    promise.then(end, end);
    const ended = await this.run(() => !pending, this.#now + patience, 1_000_000);
    if (!ended) throw new Error("waits for something that does not happen");
    return promise;
  }

  #push(step: Step): void {
    const heap = this.#heap;
    let index = heap.push(step) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(step, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = step;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, left)) child += 1;
      const smaller = heap[child] ?? left;
      if (!before(smaller, last)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

function before(one: Step, other: Step): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
