import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { FunctionRecord } from "../../../src/functions/function.ts";
import { listAuctions } from "../../../src/read-model/auctions.ts";
import { listTotals } from "../../../src/read-model/totals.ts";
import { topics } from "../../../src/topics.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { answered, call, newBid, openItem } from "../edge/client.ts";
import { eventually, outputsOf } from "../partition/world.ts";
import { countingDatabase, database, dumpOfReadModel, someObject } from "./world.ts";

const hour = 3_600_000;
const midnight = Date.parse("2026-11-20T00:00:00.000Z");

/** Auctions of one partition, `perHour` of them in each hour, in one category. */
function auctionsOf(category: string, count: number, perHour: number): FunctionRecord[] {
  return Array.from({ length: count }, (_, index) =>
    completedRecord(
      completedAuction(`${category}-${index}`, {
        category,
        price: 100 + index,
        closedAt: new Date(midnight + Math.floor(index / perHour) * hour).toISOString(),
        attributes: { year: 2000 + (index % 20), colour: index % 2 === 0 ? "red" : "blue" },
      }),
      index + 1,
    ),
  );
}

test("an auction that the partition completed is what the read model holds", async () => {
  const { itemId } = await openItem({ attributes: { year: 2018 }, reserve: 3_000 });
  await answered(call("/v1/bids", { body: newBid(itemId), headers: { prefer: "wait=10" } }), 200);
  await answered(
    call(`/v1/items/${itemId}/withdraw`, { method: "POST", headers: { prefer: "wait=10" } }),
    200,
  );
  const [record] = await eventually(async () => {
    const found = await outputsOf(topics.completed, itemId);
    return found.length > 0 && found;
  });
  if (record === undefined) throw new Error("an item that is withdrawn is completed");
  const { outcomes } = await createAnalytics(database)(
    invocationOf([{ ...record, id: "record", attempt: 1 }]),
  );
  expect(outcomes).toEqual([{ status: "done" }]);
  const { auctions } = await listAuctions(database, { attributes: [["year", "2018"]], limit: 1 });
  expect(auctions).toEqual([JSON.parse(record.value)]);
});

test("an auction costs three rows, an hour of a call one, and what is delivered again none", async () => {
  const { count, database: counting } = countingDatabase();
  const analytics = createAnalytics(counting);
  const records = auctionsOf("rows", 400, 100);
  await analytics(invocationOf(records));
  expect(count.rowsWritten).toBe(400 * 3 + 4);
  await analytics(invocationOf(records));
  await analytics(invocationOf(records.slice(7, 130)));
  expect(count.rowsWritten).toBe(400 * 3 + 4);
});

test("an eviction between two calls, and everything delivered again behind it, ends equal", async () => {
  const records = auctionsOf("evicted", 300, 25);
  const object = someObject("0");
  const deliver = (from: number, to: number) =>
    runInDurableObject(object, async () => {
      await createAnalytics(database)(invocationOf(records.slice(from, to)));
    });
  for (let from = 0; from < 300; from += 75) {
    await deliver(from, from + 75);
    await evictDurableObject(object);
  }
  const before = await dumpOfReadModel();
  await deliver(0, 300);
  await evictDurableObject(object);
  await deliver(120, 300);
  expect(await dumpOfReadModel()).toEqual(before);
  const { totals } = await listTotals(database, { category: "evicted", limit: 10 });
  expect(totals).toMatchObject([{ sold: 300, grossValue: BigInt((100 + 399) * 150) }]);
});

test("partitions that write the same hours at the same time count every auction", async () => {
  const records = auctionsOf("together", 400, 100);
  await Promise.all(
    Array.from({ length: 8 }, (_, partition) =>
      createAnalytics(database)(invocationOf(records.filter((__, index) => index % 8 === partition))),
    ),
  );
  const { totals } = await listTotals(database, { category: "together", limit: 10 });
  expect(totals.map(({ sold }) => sold)).toEqual([400]);
});
