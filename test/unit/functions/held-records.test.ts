/** Order: of a lane's records the parked ones are always the oldest, since they are called as soon as the others are read again. */
import { expect, test } from "vitest";
import { HeldRecords } from "../../../durable-objects/functions/held-records.ts";
import { readRecord, type ReadRecord } from "../../../durable-objects/functions/read-record.ts";

const settings = { order: "key", budget: { records: 5_000, characters: 1_000_000 } } as const;
const limits = { records: 2_000, characters: 1_000_000, span: 20_000 };

function recordOf(offset: number): ReadRecord {
  const value = "";
  return readRecord(
    { topic: "notifications", partition: 0, offset, timestamp: 0, key: "lamp-1", value, headers: [] },
    "auction/0",
  );
}

test("what is parked to make room is the oldest of its key, however far the window has moved on", () => {
  const held = new HeldRecords(
    settings,
    { ledger: undefined, parked: [] },
    { position: 0, sequence: 0 },
    limits,
  );
  const all = Array.from({ length: 2_400 }, (_, offset) => recordOf(offset));
  held.admit(all, all.length, 0, () => true, false);
  const call = held.take({ count: 800, characters: 1_000_000, waitMs: 0, mixesKeys: true, attempts: 5 }, 0);
  for (const pending of call.slice(0, 400)) held.finish(pending);
  // The rest is under way: its key is held up.
  held.makeRoom();
  const parked = [...held.takeChanges().parked].map(({ offset }) => offset);
  expect(parked.length).toBeGreaterThan(0);
  expect(parked).toEqual(Array.from(parked, (_, index) => 400 + index));
});
