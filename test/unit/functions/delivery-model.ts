import type { Call } from "../../../durable-objects/functions/calls-under-way.ts";
import type { Delivery } from "../../../durable-objects/functions/delivery.ts";
import type { WindowLimits } from "../../../durable-objects/functions/window.ts";
import type { Ledger } from "../../../durable-objects/functions/ledger.ts";
import { fromRanges } from "../../../durable-objects/functions/ranges.ts";
import { type ReadRecord, readRecord } from "../../../durable-objects/functions/read-record.ts";
import type { FunctionSettings } from "../../../src/functions/function.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { Random } from "../../faults/random.ts";
import { DeliveryStorage, type Head } from "./delivery-storage.ts";
import { ModelReceiver } from "./delivery-receiver.ts";

/** The engine under test, or a copy of it with a fault. */
export type DeliveryConstructor = typeof Delivery;

/** What is read at once is taken whole, whatever room there was. */
const longestRead = 40;
const writer = "/groups/auction/0";

function settingsFor(random: Random): FunctionSettings {
  return {
    order: random.pick(["key", "key", "key", "partition", "none"]),
    batch: {
      count: random.pick([1, 1, 3, 20]),
      characters: random.pick([10, 1_000]),
      waitMs: random.pick([0, 0, 5]),
      mixesKeys: random.chance(0.5),
    },
    concurrency: random.pick([1, 3, 10]),
    timeoutMs: 100,
    retry: {
      attempts: random.pick([2, 4]),
      maximumAgeMs: random.pick([500, 1_000_000]),
      firstDelayMs: 10,
      longestDelayMs: 100,
    },
    budget: { records: random.pick([5, 50]), characters: random.pick([60, 100_000]) },
    circuit: { failures: random.pick([3, 1_000]), firstProbeMs: 20, longestProbeMs: 100 },
  };
}

/** The writer's outputs, some of them appended a second time after an answer in doubt. */
function drawLog(random: Random): ReadRecord[] {
  const sequences: number[] = [];
  const count = random.integer(30, 200);
  for (let next = 1; next <= count;) {
    const part = random.integer(1, 20);
    for (let index = 0; index < part && next + index <= count; index += 1) sequences.push(next + index);
    // Of the appended part a prefix, or all of it, is told as taken; the rest comes again.
    next += random.chance(0.3) ? random.integer(0, part) : part;
  }
  const keys = new Map<number, string>();
  return sequences.map((sequence, offset) => {
    const key = keys.get(sequence) ?? `key-${random.integer(1, 6)}`;
    keys.set(sequence, key);
    const headers = [
      { key: "ce_source", value: writer },
      { key: "gavel_sequence", value: String(sequence) },
    ];
    const record = { topic: "t", partition: 0, offset, timestamp: 0, key, value: "12345", headers };
    return readRecord(record, writer);
  });
}

/** One function against a receiver that fails at random, with crashes between any two steps. */
class DeliveryRun {
  readonly settings: FunctionSettings;
  readonly storage = new DeliveryStorage();
  readonly receiver: ModelReceiver;
  crashes = 0;
  private readonly create: DeliveryConstructor;
  private readonly random: Random;
  private readonly limits: WindowLimits;
  private readonly log: readonly ReadRecord[];
  /** How often each was taken back from the dead letters. */
  private readonly takenBack = new Map<number, number>();
  private now = 1_000;
  private head: Head = { position: 0, sequence: 0 };
  private delivery: Delivery;
  /** Whose calls the last crash has ended. */
  private interrupted: Ledger | undefined;
  /** The end of what the log has by now. */
  private logEnd = 0;
  private calls: { call: Call; endsAt: number; delivery: Delivery }[] = [];

  constructor(seed: number, create: DeliveryConstructor) {
    this.random = new Random(seed);
    this.create = create;
    this.settings = settingsFor(this.random);
    const records = this.random.integer(4, 43);
    this.limits = { records, characters: 10_000, span: records * 2 };
    this.log = drawLog(this.random);
    const isPoisoned = this.random.chance(0.5);
    const poison = isPoisoned ? this.random.integer(0, this.log.length - 1) : -1;
    this.receiver = new ModelReceiver(this.random, this.settings, poison, (offset) => this.recordAt(offset));
    this.delivery = this.load();
  }

  private recordAt(offset: number): LogRecord {
    const read = this.log[offset];
    if (read === undefined) throw new Error(`the log has no ${offset}`);
    return read.record;
  }

  private load(): Delivery {
    const { settings, limits, storage } = this;
    const random = () => this.random.unit();
    const delivery = new this.create("f", settings, storage.load(), this.head, random, limits);
    if (delivery.position > this.head.position) throw new Error("it begins behind the group's position");
    return delivery;
  }

  /** Reads for the function, or for others whom the group goes on with. */
  private read(): void {
    const { delivery, log, logEnd } = this;
    delivery.makeRoom();
    const isBehind = delivery.next < this.head.position;
    const last = isBehind ? this.head.position : logEnd;
    const from = delivery.next;
    const end = Math.min(last, from + 1 + this.random.integer(0, longestRead - 1));
    if (end > from && delivery.room > 0) {
      delivery.admit(log.slice(from, end), end, this.now, () => true);
      if (!isBehind) this.moveHead(Math.max(end, delivery.next));
    } else if (this.random.chance(0.5)) {
      this.moveHead(Math.min(logEnd, this.head.position + this.random.integer(1, 20)));
    }
  }

  private moveHead(position: number): void {
    const passed = this.log.slice(this.head.position, position).map(({ sequence }) => sequence);
    this.head = { position, sequence: Math.max(this.head.sequence, ...passed) };
  }

  private commit(): void {
    this.storage.write(this.head, this.delivery.takeChanges(this.head.position));
    const { budget } = this.settings;
    const mostRows = budget.records + this.limits.records + longestRead + this.takenBack.size;
    if (this.storage.rows.size > mostRows) throw new Error(`${this.storage.rows.size} rows are parked`);
  }

  private start(): void {
    const started: Call[] = [];
    for (let call = this.delivery.start(this.now); call !== undefined; call = this.delivery.start(this.now))
      started.push(call);
    if (this.delivery.inFlight > this.settings.concurrency) throw new Error("too many calls at a time");
    this.verifySuspects(started);
    this.commit();
    for (const call of started) {
      for (const pending of call.records) {
        pending.record ??= this.storage.rows.get(pending.offset)?.record;
        if (pending.record === undefined) throw new Error(`${pending.offset} is called and is not there`);
        if (pending.notBefore > this.now) throw new Error(`${pending.offset} is called before its time`);
      }
      const endsAt = this.receiver.receive(call, this.now);
      this.calls.push({ call, endsAt, delivery: this.delivery });
    }
  }

  /** What has spent its attempts by ending the object is called with nothing beside it. */
  private verifySuspects(started: readonly Call[]): void {
    for (const { records } of started) {
      const isSuspect = records.some(({ attempts }) => attempts >= this.settings.retry.attempts);
      if (isSuspect && (records.length > 1 || this.delivery.inFlight > 1))
        throw new Error("a suspect is called beside others");
    }
  }

  private answer(): void {
    const over = this.calls.filter(({ endsAt }) => endsAt <= this.now);
    this.calls = this.calls.filter(({ endsAt }) => endsAt > this.now);
    for (const { call, delivery } of over) {
      const result = this.receiver.answer(call, this.now);
      // Of a call from before a crash nobody hears.
      if (delivery === this.delivery) delivery.settle(call, result, this.now);
      this.receiver.settled();
    }
  }

  private crash(): void {
    this.crashes += 1;
    const { ledger } = this.storage;
    // Crashes in a row, with nothing stored between them, end the same calls.
    if (ledger !== this.interrupted)
      for (const [, , offsets] of ledger?.calls ?? [])
        for (const offset of fromRanges(offsets)) this.receiver.interrupt(offset);
    this.interrupted = ledger;
    this.head = this.storage.head;
    this.delivery = this.load();
  }

  /** Something that an operator does. */
  private operate(): void {
    const { delivery, random, storage } = this;
    this.commit();
    const offset = random.pick([...storage.rows.keys(), -1]);
    const row = storage.rows.get(offset);
    const what = random.integer(1, 4);
    if (what === 1) delivery.retryNow(offset, this.now);
    if (what === 2 && row !== undefined) delivery.skip(offset, row.record, "skipped", this.now);
    if (what === 3) this.redrive();
    if (what === 4) delivery.disable({ reason: "by an operator", at: this.now });
    this.commit();
  }

  private redrive(): void {
    const { storage, takenBack } = this;
    const ended = storage.ended.filter((offset) => this.endedTimes(offset) > (takenBack.get(offset) ?? 0));
    const offset = this.random.pick([...ended, -1]);
    if (offset < 0 || !this.delivery.takeBack(this.recordAt(offset), 1, this.now)) return;
    takenBack.set(offset, (takenBack.get(offset) ?? 0) + 1);
    this.receiver.forget(offset);
  }

  private endedTimes(offset: number): number {
    return this.storage.ended.filter((one) => one === offset).length;
  }

  private step(): void {
    const luck = this.random.unit();
    if (luck < 0.3) this.read();
    else if (luck < 0.6) this.start();
    else if (luck < 0.94) this.answer();
    else if (luck < 0.945) this.receiver.isAway = !this.receiver.isAway;
    else if (luck < 0.95 && this.crashes < 10) this.crash();
    else if (luck < 0.955) this.operate();
    else if (luck < 0.957) this.receiver.isGone = true;
    else if (luck < 0.965) this.goOn();
    else if (luck < 0.975) this.logEnd = Math.min(this.log.length, this.logEnd + this.random.integer(1, 30));
    else this.commit();
  }

  private goOn(): void {
    this.receiver.isGone = false;
    this.delivery.enable();
  }

  run(): void {
    for (let step = 0; step < 100_000 && !this.isOver; step += 1) {
      this.step();
      this.now += this.random.integer(0, 4);
      if (step > 10_000) this.receiver.isAway = false;
    }
    this.commit();
    if (!this.isOver) throw new Error("it does not come to an end");
  }

  private get isOver(): boolean {
    const { delivery, log } = this;
    return delivery.position === log.length && delivery.parkedCount === 0 && delivery.inFlight === 0;
  }

  verify(): void {
    let highest = 0;
    for (const { record, sequence } of this.log) {
      if (sequence > highest) this.verifyRecord(record.offset);
      else if (this.receiver.decided.includes(record.offset))
        throw new Error(`${record.offset} is a repetition`);
      highest = Math.max(highest, sequence);
    }
    if (this.storage.rows.size > 0) throw new Error("a row is left");
    if (this.settings.order !== "none") this.verifyOrder();
  }

  private verifyRecord(offset: number): void {
    const { made, ended } = this.storage;
    const times = this.endedTimes(offset);
    const back = this.takenBack.get(offset) ?? 0;
    const isDeadLetter = times > back;
    if (times > back + 1 || times < back) throw new Error(`${offset} ended ${times} times: ${ended.join()}`);
    if (!isDeadLetter && !this.receiver.done.has(offset))
      throw new Error(`${offset} is neither done nor ended`);
    if ((made.get(offset) ?? 0) !== (isDeadLetter ? 0 : 1))
      throw new Error(`${offset} was made ${made.get(offset)} times`);
    if (offset === this.receiver.poison && !isDeadLetter) throw new Error("what cannot be done was done");
  }

  /** In each lane, first decisions are in offset order; what was taken back comes when it comes. */
  private verifyOrder(): void {
    const highest = new Map<string, number>();
    for (const offset of new Set(this.receiver.decided)) {
      if (this.takenBack.has(offset)) continue;
      const lane = this.receiver.laneOf(offset);
      if (offset < (highest.get(lane) ?? -1)) throw new Error(`${offset} comes too late in ${lane}`);
      highest.set(lane, offset);
    }
  }
}

/** Plays seeds, up to the first that fails. */
export function playDelivery(
  seeds: number,
  create: DeliveryConstructor,
): { failure: string | null; crashes: number } {
  let crashes = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const run = new DeliveryRun(seed, create);
    try {
      run.run();
      run.verify();
    } catch (error) {
      const { stack } = error as Error;
      return { failure: `seed ${seed}, ${JSON.stringify(run.settings)}: ${stack}`, crashes };
    }
    crashes += run.crashes;
  }
  return { failure: null, crashes };
}
