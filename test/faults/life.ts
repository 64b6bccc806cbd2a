/**
 * One stay of a Partition object in memory. Each of its steps outside itself may be its last: the
 * memory is gone then, and nothing that it waited for comes back to it.
 */
import type { Fault, Faults } from "./faults.ts";

/** Ends the code that runs at the moment of a crash. */
class Crash extends Error {
  override readonly name = "Crash";
}

export class Life {
  #alive = true;
  started = false;
  readonly #faults: Faults;
  readonly #onEnd: (() => void)[] = [];

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Calls back at the life's end; at once where it has ended already. */
  onEnd(act: () => void): void {
    if (this.#alive) this.#onEnd.push(act);
    else act();
  }

  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const act of this.#onEnd.splice(0)) act();
  }

  /** A step without waiting; throws when the life ends here or has ended. */
  step(fault: Fault): void {
    if (this.#alive && this.#faults.crashes()) this.#crash(fault);
    if (!this.#alive) throw new Crash("the object is gone");
  }

  /** A step that waits; what it waits for is told to the living only. */
  wait<Result>(
    start: (resolve: (result: Result) => void, reject: (error: Error) => void) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const ifAlive = (tell: () => void): void => {
        if (this.#alive && this.#faults.crashes()) this.#crash("crash while waiting");
        if (this.#alive) tell();
      };
      if (!this.#alive) return;
      start(
        (result) => ifAlive(() => resolve(result)),
        (error) => ifAlive(() => reject(error)),
      );
    });
  }

  #crash(fault: Fault): void {
    this.#faults.count(fault);
    if (!this.started) this.#faults.count("crash while starting");
    this.end();
  }
}
