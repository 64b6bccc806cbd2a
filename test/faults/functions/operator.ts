import type { DeadLetterEntry } from "../../../durable-objects/functions/dead-letter-index.ts";
import type { FunctionGroupCore } from "../../../durable-objects/functions/function-group.ts";
import { LogWait } from "../../../durable-objects/log-wait.ts";
import { LogError } from "../../../src/kafka/port.ts";
import type { ObjectHost } from "../object-host.ts";
import type { Random } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Happening, Untold } from "./history.ts";
import type { Moments } from "./moments.ts";
import type { Receiver } from "./receiver.ts";

/** More than a run has records. */
const all = 10_000;

const acts = ["pause", "seek", "seek", "retry", "retry", "skip", "skip", "redrive", "redrive"] as const;

/** Stands for an operator, who gives every command there is, one after the other, at moments of no meaning. */
export class Operator {
  readonly #scheduler: Scheduler;
  readonly #host: ObjectHost<FunctionGroupCore>;
  readonly #receiver: Receiver;
  readonly #random: Random;
  readonly #moments: Moments;
  #isStopped = false;
  #over: Promise<void> = Promise.resolve();

  constructor(
    scheduler: Scheduler,
    host: ObjectHost<FunctionGroupCore>,
    { receiver, random, moments }: { receiver: Receiver; random: Random; moments: Moments },
  ) {
    this.#scheduler = scheduler;
    this.#host = host;
    this.#receiver = receiver;
    this.#random = random;
    this.#moments = moments;
  }

  start(): void {
    this.#over = this.#work();
  }

  /** Resolves when the command under way has its answer, and what was paused is resumed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#over;
    await this.#setPaused(false);
  }

  async #work(): Promise<void> {
    for (;;) {
      await this.#scheduler.sleep(this.#random.integer(100, 8_000));
      if (this.#isStopped) return;
      await this.#act(this.#random.pick(acts));
    }
  }

  #act(act: (typeof acts)[number]): Promise<void> {
    switch (act) {
      case "pause":
        return this.#pauseAWhile();
      case "seek":
        return this.#seek();
      case "retry":
        return this.#ofSomeKey("retried", (core, key) => core.retryParked(key));
      case "skip":
        return this.#ofSomeKey("skipped", (core, key) => core.skipParked(key));
      case "redrive":
        return this.#redriveSome();
    }
  }

  async #pauseAWhile(): Promise<void> {
    await this.#setPaused(true);
    await this.#scheduler.sleep(this.#random.integer(10, 10_000));
    await this.#setPaused(false);
  }

  async #setPaused(isPaused: boolean): Promise<void> {
    const { wipes } = this.#host.disk;
    this.#receiver.pausedSince = undefined;
    const answer = await this.#told(async (core) => core.setPaused(isPaused));
    if (!isPaused || answer === "unknown" || this.#host.disk.wipes !== wipes) return;
    this.#receiver.pausedSince = this.#scheduler.now;
    this.#moments.count("paused");
  }

  async #seek(): Promise<void> {
    const status = await this.#told((core) => core.functionGroupStatus());
    if (typeof status === "string") return;
    const isBack = this.#random.chance(0.6);
    const offset = isBack
      ? this.#random.integer(0, status.position)
      : status.position + this.#random.integer(0, 10);
    await this.#changing({ kind: "seek", offset }, async () => {
      const answer = await this.#told((core) => core.seek(offset, this.#random.chance(0.7)));
      if (typeof answer === "object" && answer.kind === "done")
        this.#moments.count(answer.to > answer.from ? "sought forward" : "sought back");
      return { kind: "seek", offset, answer };
    });
  }

  async #ofSomeKey(
    moment: "retried" | "skipped",
    command: (core: FunctionGroupCore, key: string) => Promise<number>,
  ): Promise<void> {
    const parked = await this.#told((core) => core.parked(all));
    if (typeof parked === "string" || parked.length === 0) return;
    const { key } = this.#random.pick(parked);
    const count = await this.#told((core) => command(core, key));
    if (typeof count === "number" && count > 0) this.#moments.count(moment);
  }

  async #redriveSome(): Promise<void> {
    const letters = await this.#told((core) => core.deadLetters(all));
    if (typeof letters === "string" || letters.length === 0) return;
    await this.#redrive(this.#random.chance(0.3) ? letters : [this.#random.pick(letters)]);
  }

  /** Takes back what there is room for. Answers how many, and how many are left. */
  async redriveAll(): Promise<{ readonly redriven: number; readonly left: number }> {
    const letters = await this.#told((core) => core.deadLetters(all));
    if (typeof letters === "string") throw new Error("the object does not tell its dead letters");
    const redriven = letters.length === 0 ? 0 : await this.#redrive(letters);
    return { redriven, left: letters.length - redriven };
  }

  async #redrive(entries: readonly DeadLetterEntry[]): Promise<number> {
    let count = 0;
    await this.#changing({ kind: "redrive", entries }, async () => {
      const ids = entries.map(({ id }) => id);
      const answer = await this.#told((core) => core.redrive(ids));
      if (typeof answer !== "string" && answer.redriven > 0) {
        count = answer.redriven;
        this.#moments.count("redriven");
      }
      return { kind: "redrive", entries, answer: typeof answer === "string" ? answer : answer.redriven };
    });
    return count;
  }

  async #changing(
    change: Extract<Happening, { kind: "change began" }>["change"],
    make: () => Promise<Extract<Happening, { kind: "change ended" }>["change"]>,
  ): Promise<void> {
    const { history } = this.#receiver;
    const began = this.#scheduler.now;
    history.push({ kind: "change began", change });
    history.push({ kind: "change ended", change: await make(), began, at: this.#scheduler.now });
  }

  /** What the object answers; "failed" where the log is away, which has to mean that nothing was done. */
  #told<Answer extends object | number | void>(
    ask: (core: FunctionGroupCore) => Promise<Answer>,
  ): Promise<Answer | Untold> {
    const asked = this.#host.call((core): Promise<Answer | Untold> =>
      ask(core).catch((error: unknown) => {
        if (error instanceof LogError || error instanceof LogWait) return "failed";
        throw error;
      }),
    );
    // A failure of a living object is noted by its host.
    return asked.catch(() => "unknown");
  }
}
