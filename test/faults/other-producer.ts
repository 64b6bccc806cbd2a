/**
 * Who else uses the log's topics: producers with transactions, the log's own compaction and
 * retention, and an operator who deletes a topic and makes it again.
 */
import { topics } from "../../src/topics.ts";
import type { World } from "./log-client.ts";
import type { ObjectHost } from "./object-host.ts";
import { positionsOf } from "./stored.ts";

type Role = "items" | "journal";

/** How long a transaction stays open, typically: from a moment to longer than anybody waits. */
const openFor = [5, 200, 4_000];

export class OtherProducer {
  readonly #world: World;
  readonly #host: ObjectHost;
  readonly #prefix: string;
  #open = 0;

  constructor(world: World, host: ObjectHost, prefix: string) {
    this.#world = world;
    this.#host = host;
    this.#prefix = prefix;
  }

  /** Whether no transaction is open any more. */
  get idle(): boolean {
    return this.#open === 0;
  }

  /** Plans what happens within the run's writing. */
  plan(length: number): void {
    const { scheduler, faults } = this.#world;
    const { acts, remakes } = faults.plan;
    for (let count = 0; count < acts; count += 1) {
      scheduler.after(faults.random.integer(0, length), () => this.#act());
    }
    if (!remakes) return;
    const role = faults.random.pick(["items", "journal"] as const);
    scheduler.after(faults.random.integer(length / 4, length), () => this.#remake(role));
  }

  #act(): void {
    const { faults } = this.#world;
    if (!faults.on) return;
    const role = faults.random.pick(["items", "journal"] as const);
    const name = this.#prefix + topics[role];
    switch (faults.random.integer(0, faults.plan.retention ? 5 : 3)) {
      case 0:
        faults.count("trailing markers");
        return this.#world.log.skip(name, faults.random.integer(1, 3));
      case 1:
      case 2:
        return this.#transaction(name);
      case 3:
        return this.#compact();
      default:
        return this.#retain(name);
    }
  }

  #transaction(name: string): void {
    const { log, faults, scheduler } = this.#world;
    const values = Array.from({ length: faults.random.integer(0, 3) }, () => "another producer's");
    const transaction = log.begin(name, values);
    if (transaction === null) return;
    const commits = faults.random.chance(0.5);
    faults.count(commits ? "transaction committed" : "transaction aborted");
    this.#open += 1;
    scheduler.after(faults.random.delay(faults.random.pick(openFor)), () => {
      this.#open -= 1;
      transaction.finish(commits);
    });
  }

  /** Only of the items: the state is the journal's, whose records must stay. */
  #compact(): void {
    const { log, faults } = this.#world;
    const isDone = log.compact(this.#prefix + topics.items, (count) => faults.random.integer(0, count - 1));
    if (isDone) faults.count("compaction");
  }

  #retain(name: string): void {
    const { log, faults } = this.#world;
    const [start, end] = [log.start(name), log.end(name)];
    // Mostly near the end, where the object may not have come to yet.
    const kept = faults.random.chance(0.7)
      ? faults.random.integer(0, 3)
      : faults.random.integer(0, end - start);
    if (end - kept <= start) return;
    faults.count("retention");
    log.deleteBefore(name, end - kept);
  }

  /** Once the object has read of it: before, one topic is as good as the other. */
  #remake(role: Role): void {
    const { log, faults, scheduler } = this.#world;
    if (positionsOf(this.#host.disk)[role] === 0) {
      if (faults.on) scheduler.after(1_000, () => this.#remake(role));
      return;
    }
    faults.count("topic made again");
    faults.keepStorage();
    log.remake(this.#prefix + topics[role]);
  }
}
