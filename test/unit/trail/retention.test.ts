import { expect, test } from "vitest";
import { searchTrail } from "../../../durable-objects/trail/search.ts";
import { Trail } from "../../../durable-objects/trail/trail.ts";
import { decodeJournalRecord } from "../../../src/auction/decode.ts";
import { hash32 } from "../../../src/lib/hash.ts";
import type { PartitionStorage } from "../../../durable-objects/dependencies.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";
import { bid, startsAt } from "../partition/core-world.ts";

const sequences = { completed: 0, notifications: 0, deadLetters: 0 };
const hashOf = (id: string): number => hash32(id, 7);

/** A trail that transactions write as a partition's do. */
class Kept {
  readonly storage: PartitionStorage = memoryStorage();
  /** Rows of pages that were written or deleted, as they are billed. */
  rows = 0;
  trail: Trail;
  next = 0;
  private readonly limits: ConstructorParameters<typeof Trail>[2];

  constructor(limits?: ConstructorParameters<typeof Trail>[2]) {
    this.limits = limits;
    this.storage.run(`INSERT INTO partition_state (id, state) VALUES (1, '{}')`);
    this.trail = this.open();
  }

  private open(): Trail {
    const count = (statement: string, table: string) =>
      statement.includes(table) ? (this.storage.all(`SELECT changes() AS c`)[0]?.["c"] as number) : 0;
    const counted: PartitionStorage = {
      ...this.storage,
      run: (statement, ...parameters) => {
        this.storage.run(statement, ...parameters);
        this.rows += count(statement, " trail ");
      },
    };
    return new Trail(counted, hashOf, this.limits);
  }

  restart(): void {
    this.trail = this.open();
  }

  /** One transaction of so many bids. */
  apply(bids: number): void {
    this.trail.begin(this.next, sequences);
    for (let count = 0; count < bids; count += 1) {
      const record = bid("lamp", "ann", 5, startsAt);
      const headers = [{ key: "ce_id", value: `bid-${this.next}` }, ...record.headers.slice(1)];
      const event = decodeJournalRecord({ ...record, headers, offset: this.next });
      this.trail.applied(event);
      this.trail.told("journal", this.next, { status: "accepted" }, `bid-${this.next}`);
      this.trail.produced("notifications", this.next, 1);
      this.next += 1;
    }
    const { hashes, steps } = this.trail.end(startsAt + this.next);
    this.storage.run(
      `UPDATE partition_state SET trail_hashes = ?, trail_steps = ? WHERE id = 1`,
      hashes.buffer,
      steps.buffer,
    );
  }

  find(number: number) {
    return searchTrail(this.storage, this.trail, hashOf(`bid-${number}`), () => Number.POSITIVE_INFINITY);
  }

  get pages(): number {
    return this.storage.all(`SELECT page FROM trail`).length;
  }
}

test("under load the trail costs less than one row for a hundred records, what is deleted included", () => {
  const kept = new Kept({ pageBytes: 4_096, pages: 20 });
  for (let count = 0; count < 100; count += 1) kept.apply(500);
  expect(kept.pages).toBe(20);
  expect(kept.rows).toBeGreaterThan(20);
  expect(kept.rows / kept.next).toBeLessThan(0.01);
});

test("records that come one by one cost a row for many, and the row of their transaction stays small", () => {
  const kept = new Kept();
  for (let count = 0; count < 2_000; count += 1) {
    kept.apply(1);
    const { hashes, steps } = kept.trail.tail;
    expect(hashes.byteLength + steps.byteLength).toBeLessThan(4_096);
  }
  expect(kept.rows).toBe(kept.pages);
  expect(kept.rows / kept.next).toBeLessThan(1 / 60);
  expect(kept.pages).toBeGreaterThan(5);
});

test("the oldest page goes when there are more than are kept; what it had is found no more, all others are", () => {
  const kept = new Kept({ pageBytes: 512, pages: 5 });
  for (let count = 0; count < 60; count += 1) kept.apply(10);
  expect(kept.pages).toBe(5);
  const isFound = Array.from({ length: kept.next }, (_, number) => kept.find(number).length === 1);
  const oldest = isFound.indexOf(true);
  expect(oldest).toBeGreaterThan(0);
  expect(isFound.slice(oldest).every(Boolean)).toBe(true);
  expect(isFound.length - oldest).toBeGreaterThan(200);
  kept.restart();
  kept.apply(10);
  expect(kept.find(kept.next - 1)).toMatchObject([{ offset: kept.next - 1, fate: "accepted" }]);
  expect(kept.find(kept.next - 11)).toMatchObject([{ offset: kept.next - 11 }]);
  expect(kept.pages).toBe(5);
});

test("however much is kept, memory holds one page of it", () => {
  const kept = new Kept();
  for (let count = 0; count < 200; count += 1) {
    kept.apply(1_000);
    const { hashes, steps } = kept.trail.tail;
    expect(hashes.byteLength + steps.byteLength).toBeLessThan(4_096);
  }
  expect(kept.find(0)).toMatchObject([{ offset: 0 }]);
  expect(kept.pages).toBe(200);
});

test("an event that was sent very often is found with some repetitions, and the first of all of them", () => {
  const kept = new Kept();
  const event = decodeJournalRecord({ ...bid("lamp", "ann", 5, startsAt), offset: 0 });
  if (event.kind !== "bid") throw new Error("it is a bid");
  for (let offset = 0; offset < 500; offset += 1) {
    kept.trail.begin(offset, sequences);
    kept.trail.applied({ ...event, offset });
    const repeated = offset === 0 ? {} : { duplicate: true as const };
    kept.trail.told("journal", offset, { status: "accepted", ...repeated }, event.identity.id);
    kept.trail.end(startsAt);
  }
  const steps = searchTrail(kept.storage, kept.trail, hashOf(event.identity.id), () => 0);
  expect(steps).toHaveLength(9);
  expect(steps.at(-1)).toMatchObject({ offset: 0, isDuplicate: false });
  expect(steps[0]).toMatchObject({ offset: 499, isDuplicate: true });
});
