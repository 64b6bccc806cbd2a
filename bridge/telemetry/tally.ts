import { Counter, type Registry } from "prom-client";

/**
 * A counter whose increments are additions to a number: the library finds a series by a text made
 * of its labels, which costs more than all else that is counted of a request. It hears of the sums
 * when it is asked for them.
 */
export class Tally {
  readonly #series = new Map<string, Map<string, number>>();

  constructor(registry: Registry, name: string, help: string, labelNames: readonly [string, string?]) {
    const [first, second] = labelNames;
    const names = second === undefined ? [first] : [first, second];
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: names,
      registers: [registry],
      collect: () => {
        counter.reset();
        for (const [one, others] of this.#series) {
          for (const [other, sum] of others) {
            counter.inc({ [first]: one, ...(second === undefined ? {} : { [second]: other }) }, sum);
          }
        }
      },
    });
  }

  /** Adds to the series with this value of the first label, and of the second where there is one. */
  add(count: number, one: string, other = ""): void {
    const others = this.#series.get(one) ?? new Map<string, number>();
    this.#series.set(one, others);
    others.set(other, (others.get(other) ?? 0) + count);
  }
}
