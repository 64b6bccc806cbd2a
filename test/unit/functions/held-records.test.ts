/** Order: of a lane's records the parked ones are always the oldest, since they are called as soon as the others are read again. */
import { expect, test } from "vitest";
import { Delivery } from "../../../durable-objects/functions/delivery.ts";
import { HeldRecords } from "../../../durable-objects/functions/held-records.ts";
import { readRecord, type ReadRecord } from "../../../durable-objects/functions/read-record.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";

const byKey = { order: "key", budget: { records: 5_000, characters: 1_000_000 } } as const;
const limits = { records: 2_000, characters: 1_000_000, span: 20_000 };

function recordOf(offset: number, key = "lamp-1", value = ""): ReadRecord {
  return readRecord(
    { topic: "notifications", partition: 0, offset, timestamp: 0, key, value, headers: [] },
    "w",
  );
}

test("what is parked to make room is the oldest of its key, however far the window has moved on", () => {
  const held = new HeldRecords(
    byKey,
    { ledger: undefined, trail: "", parked: [] },
    { position: 0, sequence: 0 },
    limits,
  );
  const all = Array.from({ length: 2_400 }, (_, offset) => recordOf(offset));
  held.admit(
    all,
    all.length,
    0,
    () => true,
    () => false,
  );
  const call = held.take({ count: 800, characters: 1_000_000, waitMs: 0, mixesKeys: true, attempts: 5 }, 0);
  for (const pending of call.slice(0, 400)) held.finish(pending);
  // The rest is under way: its key is held up.
  held.makeRoom();
  const parked = [...held.takeChanges().parked].map(({ offset }) => offset);
  expect(parked.length).toBeGreaterThan(0);
  expect(parked).toEqual(Array.from(parked, (_, index) => 400 + index));
});

const large = "x".repeat(30_000);
const hours = 4 * 3_600_000;

/** Its first record waits for hours, and a second of the same key behind it. */
function waiting(value: string): Delivery {
  const settings = { ...defaultSettings, batch: { ...defaultSettings.batch, count: 1 }, concurrency: 32 };
  const stored = { ledger: undefined, trail: "", parked: [] };
  const delivery = new Delivery("f", settings, stored, { position: 0, sequence: 0 }, () => 0.5);
  delivery.admit([recordOf(0, "bad", value), recordOf(1, "bad", value)], 2, 0, () => true);
  const call = delivery.start(0);
  if (call === undefined) throw new Error("it is called");
  delivery.settle(call, { outcomes: [{ status: "retry", reason: "404", delayMs: hours }] }, 0);
  return delivery;
}

test.each([
  ["whose records are large", large, () => "bad", () => true],
  [
    "of few records in many",
    "{}",
    (offset: number) => `key-${offset}`,
    (offset: number) => offset % 100 === 0,
  ],
])(
  "a key that waits does not stop its function, %s, until the budget says so",
  (_, value, keyOf, isWanted) => {
    const delivery = waiting(value);
    let next = 2;
    for (let read = 0; read < 500 && delivery.full === undefined; read += 1) {
      delivery.makeRoom();
      if (delivery.full !== undefined) break;
      expect(delivery.room, `read ${read}, ${delivery.parkedCount} parked`).toBeGreaterThan(0);
      const batch = Array.from({ length: 100 }, (__, index) =>
        recordOf(next + index, keyOf(next + index), value),
      );
      next += 100;
      delivery.admit(batch, next, 0, ({ record }) => isWanted(record.offset));
      for (let call = delivery.start(0); call !== undefined; call = delivery.start(0))
        delivery.settle(call, { outcomes: call.records.map(() => ({ status: "done" as const })) }, 0);
      delivery.takeChanges(next);
    }
    if (delivery.full === undefined) expect(next).toBe(50_002);
    else expect(delivery.full).toMatch(/has 1\d\d parked records, and may not have more/u);
  },
);

test("a position that moves over what is not selected is stored now and then", () => {
  const stored = { ledger: undefined, trail: "", parked: [] };
  const delivery = new Delivery("f", defaultSettings, stored, { position: 0, sequence: 0 }, () => 0.5);
  delivery.takeChanges(10);
  const positions: (number | null)[] = [];
  for (let next = 1_000; next <= 20_000; next += 1_000) {
    delivery.admit([recordOf(next - 1)], next, 0, () => false);
    const taken = delivery.takeChanges(20_000);
    if (taken !== null) positions.push(taken.ledger.position);
  }
  expect(positions).toEqual([5_000, 10_000, 15_000, null]);
});

test("a record waits for no more company than its call may carry, in records or in characters", () => {
  const batch = { count: 100, characters: 1_000, waitMs: 10_000, mixesKeys: true };
  const stored = { ledger: undefined, trail: "", parked: [] };
  const settings = { ...defaultSettings, batch };
  const delivery = new Delivery("f", settings, stored, { position: 0, sequence: 0 }, () => 0.5);
  delivery.admit([recordOf(0, "a", "x".repeat(900))], 1, 0, () => true);
  expect(delivery.start(0)).toBeUndefined();
  delivery.admit([recordOf(1, "b", "x".repeat(900))], 2, 0, () => true);
  expect(delivery.start(0)?.records).toHaveLength(1);
});
