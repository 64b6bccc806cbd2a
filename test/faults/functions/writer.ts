import { type FunctionGroupCore } from "../../../durable-objects/functions/function-group.ts";
import { windowLimits } from "../../../durable-objects/functions/window.ts";
import type { PushBatch } from "../../../durable-objects/rpc.ts";
import { encodeHeaders } from "../../../src/kafka/header-text.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import type { TopicRole } from "../../../src/topics.ts";
import type { World } from "../log-client.ts";
import { partition } from "../memory-log.ts";
import type { ObjectHost } from "../object-host.ts";
import type { Random } from "../random.ts";
import { topic } from "./names.ts";

/** Writes as the outbox of the group before does: dense sequences, a batch now and then a second time. */
export class Writer {
  /** Offsets that repeat an earlier record, under its sequence, and that record's. */
  readonly repetitions = new Map<number, number>();
  readonly #world: World;
  readonly #host: ObjectHost<FunctionGroupCore>;
  readonly #random: Random;
  readonly #wideGaps: number;
  #sequence = 0;
  #planned = 0;
  #written = 0;
  #pending = 0;

  constructor(world: World, host: ObjectHost<FunctionGroupCore>, random: Random) {
    this.#world = world;
    this.#host = host;
    this.#random = random;
    this.#wideGaps = random.pick([0, 0, 0.05]);
  }

  get isDone(): boolean {
    return this.#written === this.#planned && this.#pending === 0;
  }

  plan(writes: number): void {
    this.#planned = writes;
    let at = 0;
    for (let write = 0; write < writes; write += 1) {
      at += this.#random.delay(400);
      this.#world.scheduler.after(at, () => this.#write());
    }
  }

  #write(): void {
    const { faults, log } = this.#world;
    this.#written += 1;
    if (faults.chance("gap")) {
      faults.count("gap in offsets");
      log.skip(topic, this.#random.integer(1, 3));
    }
    // A window spans so many offsets at most: behind such a gap it is full until what is in front has ended.
    if (this.#random.chance(this.#wideGaps)) log.skip(topic, windowLimits.span);
    const first = this.#sequence + 1;
    const count = this.#random.integer(1, 4);
    this.#sequence += count;
    const original = this.#append(first, count);
    this.#push(original);
    if (!this.#random.chance(0.1)) return;
    const again = this.#append(first, count);
    for (const [index, { offset }] of again.entries())
      this.repetitions.set(offset, original[index]?.offset ?? offset);
    this.#push(again);
  }

  #append(first: number, count: number): LogRecord[] {
    return this.#world.log.append(
      Array.from({ length: count }, (_, index) => {
        const sequence = first + index;
        const key = sequence % 13 === 0 ? "" : `key-${sequence % 5}`;
        const type = sequence % 11 === 0 ? "sim.unwanted.v1" : "sim.wanted.v1";
        return {
          topic,
          key,
          value: JSON.stringify({ sequence }),
          timestamp: this.#world.scheduler.now,
          headers: [
            { key: "ce_type", value: type },
            { key: "ce_source", value: `/groups/auction/${partition}` },
            { key: "gavel_sequence", value: String(sequence) },
          ],
        };
      }),
    );
  }

  #push(records: readonly LogRecord[]): void {
    const { faults, log, scheduler } = this.#world;
    if (faults.chance("push")) return faults.count("push dropped");
    this.#pending += 1;
    const topicId = log.tells ? { topicId: log.id(topic) } : {};
    const batch: PushBatch<TopicRole> = {
      topic: "completed",
      ...topicId,
      offsets: records.map(({ offset }) => offset),
      timestamps: records.map(({ timestamp }) => timestamp),
      keys: records.map(({ key }) => key),
      values: records.map(({ value }) => value),
      headers: records.map(({ headers }) => encodeHeaders(headers)),
    };
    scheduler.after(this.#random.delay(faults.chance("push") ? 5_000 : 20), () => {
      const over = (): void => void (this.#pending -= 1);
      this.#host.call((core) => core.push(structuredClone(batch))).then(over, over);
    });
  }
}
