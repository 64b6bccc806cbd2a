/**
 * The edge's Workers, many at a time: each appends to the log and then pushes to the object what
 * the log has acknowledged. Their pushes get lost, repeated, late, and overtake one another.
 */
import { encodeHeaders } from "../../src/kafka/header-text.ts";
import type { PushBatch } from "../../durable-objects/rpc.ts";
import type { Outcome } from "../../src/auction/events.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { topics } from "../../src/topics.ts";
import type { World } from "./log-client.ts";
import { partition } from "./memory-log.ts";
import { ObjectReset } from "./object-host.ts";
import type { ObjectHost } from "./object-host.ts";
import type { Write } from "./script.ts";

/** What `Prefer: wait` was told of a record. */
export interface Told {
  readonly topic: "items" | "journal";
  readonly offset: number;
  readonly outcome: Outcome;
}

export class Edges {
  readonly told: Told[] = [];
  /** Reads that were answered from before the record that they asked to see. */
  readonly violations: string[] = [];
  /** The longest that a push took that waited for no outcome, in milliseconds. */
  slowestPush = 0;
  readonly #world: World;
  readonly #host: ObjectHost;
  readonly #prefix: string;
  #pending = 0;
  #inFlight = 0;
  #highestPushed = { items: -1, journal: -1 };

  constructor(world: World, host: ObjectHost, prefix: string) {
    this.#world = world;
    this.#host = host;
    this.#prefix = prefix;
  }

  /** Whether every write is in the log and every push has had its end. */
  get idle(): boolean {
    return this.#pending === 0;
  }

  plan(write: Write): void {
    this.#pending += 1;
    this.#world.scheduler.after(write.at, () => {
      this.#pending -= 1;
      this.#append(write);
    });
  }

  #append({ events }: Write): void {
    const { log, faults } = this.#world;
    const [first] = events;
    if (first === undefined) return;
    if (faults.chance("gap")) {
      faults.count("gap in offsets");
      log.skip(this.#prefix + topics[first.topic], faults.random.integer(1, 3));
    }
    const records = log.append(
      events.map((event) => ({ ...event, topic: this.#prefix + topics[event.topic] })),
    );
    const role = first.topic;
    if (faults.random.chance(0.1)) void this.#readBack(role, records);
    if (!faults.on || !faults.chance("push")) return this.#push(role, records, 20);
    switch (faults.random.integer(0, 4)) {
      case 0:
        // As another producer writes, that knows nothing of Gavel.
        return faults.count("write never pushed");
      case 1:
        return faults.count("push dropped");
      case 2:
        faults.count("push repeated");
        this.#push(role, records, 20);
        return this.#push(role, records, 3_000);
      case 3:
        faults.count("push late");
        return this.#push(role, records, 15_000);
      default:
        return this.#pushMore(role, records);
    }
  }

  /** Pushes a batch that shares records with earlier ones. */
  #pushMore(role: "items" | "journal", records: readonly LogRecord[]): void {
    const { log, faults } = this.#world;
    const last = records.at(-1)?.offset ?? 0;
    const from = Math.max(0, last - faults.random.integer(1, 30));
    const earlier = log
      .read(this.#prefix + topics[role], from, 100)
      .records.filter((record) => record.offset <= last && !faults.random.chance(0.2));
    if (earlier.length === 0) return this.#push(role, records, 20);
    faults.count("pushes overlapping in content");
    this.#push(role, records, 20);
    this.#push(role, earlier, 20);
  }

  #push(role: "items" | "journal", records: readonly LogRecord[], typicalDelay: number): void {
    const { log, scheduler, faults } = this.#world;
    this.#pending += 1;
    const batch = toBatch(role, records, log.tells ? log.id(this.#prefix + topics[role]) : undefined);
    scheduler.after(faults.random.delay(typicalDelay), () => void this.#deliver(batch, records));
  }

  async #deliver(batch: PushBatch, records: readonly LogRecord[]): Promise<void> {
    const role = batch.topic;
    const { faults } = this.#world;
    const last = records.at(-1);
    if (last === undefined) return;
    if (faults.on && last.offset < this.#highestPushed[role]) faults.count("push out of order");
    if (faults.on && this.#inFlight > 0) faults.count("pushes overlapping in time");
    this.#highestPushed[role] = Math.max(this.#highestPushed[role], last.offset);
    this.#inFlight += 1;
    await this.#tryTwice(batch, last.offset);
    this.#inFlight -= 1;
    this.#pending -= 1;
  }

  /** Asks for an item as of a record that was just acknowledged: what it is told includes it. */
  async #readBack(role: "items" | "journal", records: readonly LogRecord[]): Promise<void> {
    const last = records.at(-1);
    if (last === undefined) return;
    const after = { topic: role, offset: last.offset };
    const query = { itemId: last.key, after, waitMs: 2_000 };
    const answer = await this.#host.call((core) => core.readItem(query)).catch(() => null);
    const isBefore = answer?.kind === "item" && role === "journal" && answer.item.position <= last.offset;
    // What the log deleted or compacted away may never have been read, nor its opening.
    const { log } = this.#world;
    const isKept = log.records(last.topic).includes(last) && log.start(this.#prefix + topics.journal) === 0;
    const isMissing = answer?.kind === "unknown" && role === "items" && isListing(last) && isKept;
    if (isBefore || isMissing) this.violations.push(`read before ${role} ${last.offset} took effect`);
  }

  async #tryTwice(pushed: PushBatch, lastOffset: number): Promise<void> {
    const { scheduler, faults } = this.#world;
    const role = pushed.topic;
    const waits = faults.random.chance(role === "items" ? 0.7 : 0.3);
    const started = scheduler.now;
    const batch = { ...pushed, ...(waits && { waitMs: 2_000 }) };
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      try {
        const { outcome } = await this.#host.call((core) => core.push(structuredClone(batch)));
        if (!waits) this.slowestPush = Math.max(this.slowestPush, scheduler.now - started);
        if (outcome !== undefined) this.told.push({ topic: role, offset: lastOffset, outcome });
        return;
      } catch (error) {
        if (!(error instanceof ObjectReset)) return;
      }
    }
  }
}

/** Whether a record of the items topic lists an item, as all but the broken ones do. */
function isListing(record: LogRecord): boolean {
  return record.value.includes('"sellerId"');
}

function toBatch(
  topic: "items" | "journal",
  records: readonly LogRecord[],
  topicId: string | undefined,
): PushBatch {
  if (records.some((record) => record.partition !== partition)) throw new Error("not ours");
  return {
    topic,
    ...(topicId !== undefined && { topicId }),
    offsets: records.map((record) => record.offset),
    timestamps: records.map((record) => record.timestamp),
    keys: records.map((record) => record.key),
    values: records.map((record) => record.value),
    headers: records.map((record) => encodeHeaders(record.headers)),
  };
}
