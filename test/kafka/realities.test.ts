import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type GavelProcess, startGavelProcess } from "../../local/gavel-process.ts";
import { eventTypes, topics } from "../../src/topics.ts";
import { freshHome } from "../e2e/support/home.ts";
import { type ItemAnswer, send } from "../e2e/support/http.ts";
import { emptyLog } from "../e2e/support/log.ts";
import { header, type LogRecord, readTopic } from "../e2e/support/log-reader.ts";
import { adminOf, makeTopics } from "../support/kafka-log.ts";
import { append, begin, bidOn, itemIn, listingOf, type Message } from "./support/other-producer.ts";

const { bootstrap } = inject("kafka");
const hourMs = 3_600_000;
/** A cleaner and a sweep have their own pace. */
const patient = { timeout: 60_000, interval: 200 };

/** So that the cleaner of the broker gets at the items within a test's patience. */
const compacted = {
  "cleanup.policy": "compact",
  "min.cleanable.dirty.ratio": "0.001",
  "segment.ms": "100",
  "delete.retention.ms": "0",
};

interface Readiness {
  readonly status: string;
  readonly checks: Readonly<Record<string, string>>;
}

/** The whole of Gavel over a real broker, on which others do what others do. Each test has a partition of its own. */
describe("Gavel over a log that others use as well", () => {
  const home = freshHome();
  let gavel: GavelProcess;

  const start = async (): Promise<void> => {
    gavel = await startGavelProcess({ home, kafka: bootstrap });
  };
  beforeAll(async () => {
    await emptyLog();
    await makeTopics(bootstrap, { [topics.items]: 8 }, compacted);
    await start();
  });
  afterAll(() => gavel.stop());

  const ask = <Body>(path: string, body?: unknown, headers?: Record<string, string>) =>
    send<Body>(`${gavel.local.url}${path}`, gavel.local.keys.backend, body, headers);

  const list = async (itemId: string, openMs = hourMs): Promise<void> => {
    const endsAt = new Date(Date.now() + openMs).toISOString();
    const terms = { itemId, sellerId: "sue", title: "A lamp", category: "lamps", currency: "EUR" };
    const wait = { prefer: "wait=10" };
    expect((await ask("/v1/items", { ...terms, startingPrice: 1, endsAt }, wait)).status).toBe(200);
  };

  const bid = async (itemId: string, amount: number): Promise<void> => {
    const answer = await ask("/v1/bids", { itemId, bidderId: "mine", amount, currency: "EUR" });
    expect(answer.status).toBe(202);
  };

  const bidsOf = async (itemId: string): Promise<number | undefined> => {
    const { status, body } = await ask<ItemAnswer>(`/v1/items/${itemId}`);
    return status === 200 ? body.bids : undefined;
  };

  const ready = async () => {
    const response = await fetch(`${gavel.local.url}/readyz`);
    return { code: response.status, ...((await response.json()) as Readiness) };
  };

  const lettersIn = async (partition: number): Promise<readonly LogRecord[]> =>
    (await readTopic(gavel.local.bridge, topics.deadLetters))[partition] ?? [];

  test("what a transaction committed is applied, what one aborted is not, and neither holds anything up", async () => {
    const itemId = itemIn(0);
    await list(itemId);
    await (await begin(bootstrap, [bidOn(itemId, "ann", 5), bidOn(itemId, "ben", 10)])).commit();
    await (await begin(bootstrap, [bidOn(itemId, "never", 1_000)])).abort();
    await bid(itemId, 20);
    await expect.poll(() => bidsOf(itemId), patient).toBe(3);
    const { body } = await ask<ItemAnswer>(`/v1/items/${itemId}`);
    expect(body).toMatchObject({ highest: { bidderId: "mine", amount: 20 }, rejected: 0 });
  });

  test("a bid behind an open transaction is applied once that is over, and nothing before", async () => {
    const itemId = itemIn(1);
    await list(itemId);
    const transaction = await begin(bootstrap, [bidOn(itemId, "ann", 5)]);
    await bid(itemId, 20);
    expect(await bidsOf(itemId)).toBe(0);
    await transaction.commit();
    await expect.poll(() => bidsOf(itemId), patient).toBe(2);
  });

  test("an auction ends on time although markers are the last of both topics", async () => {
    const itemId = itemIn(2);
    const openMs = 6_000;
    const endsAt = Date.now() + openMs;
    await list(itemId, openMs);
    await bid(itemId, 20);
    const other = { partition: 2, key: itemId, value: "never" };
    await (
      await begin(bootstrap, [
        { topic: topics.journal, ...other },
        { topic: topics.items, ...other },
      ])
    ).abort();
    const sold = async () => (await ask<ItemAnswer>(`/v1/items/${itemId}`)).body.status;
    await expect.poll(sold, patient).toBe("sold");
    const journal = (await readTopic(gavel.local.bridge, topics.journal))[2] ?? [];
    const ticks = journal.filter((record) => header(record, "ce_type") === eventTypes.tick);
    expect(ticks.length).toBeGreaterThan(0);
    expect(ticks[0]?.timestamp).toBeGreaterThanOrEqual(endsAt);
  });

  describe("what nobody can read", () => {
    const partition = 3;
    const good = itemIn(partition);
    const foreign = (topic: string): Message[] => [
      { topic, partition, value: "without a key" },
      { ...bidOn(good, "ann", 5), topic, value: "{ not JSON" },
      { topic, partition, key: good, value: '{"a":"foreign record"}' },
      { topic, partition, key: `${good}-gone`, value: null },
      { topic, partition, key: good, value: "x".repeat(1_048_000), headers: { ce_type: "other.v1" } },
    ];

    test("is a dead letter, each with its coordinates, and what is behind it goes on", async () => {
      await list(good);
      const before = (await ask<ItemAnswer & { position: number }>(`/v1/items/${good}`)).body.position;
      await append(bootstrap, foreign(topics.journal));
      await bid(good, 20);
      await expect.poll(() => bidsOf(good), patient).toBe(1);
      await expect.poll(async () => (await lettersIn(partition)).length, patient).toBe(5);
      const offsets = (await lettersIn(partition)).map(coordinatesOf);
      expect(offsets).toEqual([0, 1, 2, 3, 4].map((behind) => [topics.journal, before + behind]));
    });

    test("also among the items, in a compacted topic", async () => {
      const before = (await lettersIn(partition)).length;
      // Compaction takes only what has a key: those without are refused by the broker itself.
      await append(bootstrap, foreign(topics.items).slice(1));
      const next = itemIn(partition);
      await list(next);
      await bid(next, 20);
      await expect.poll(() => bidsOf(next), patient).toBe(1);
      await expect.poll(async () => (await lettersIn(partition)).length - before, patient).toBe(4);
      const own = (await lettersIn(partition)).slice(before).map(coordinatesOf);
      expect(own.map(([topic]) => topic)).toEqual(own.map(() => topics.items));
      const first = Number(own[0]?.[1]);
      expect(own.map(([, offset]) => offset)).toEqual([0, 1, 2, 3].map((behind) => first + behind));
      expect((await ready()).code).toBe(200);
    });
  });

  test("items that compaction took before they were read leave a gap that nothing waits for and that is no event", async () => {
    const itemId = itemIn(4);
    const later = itemIn(4);
    await list(itemIn(4));
    await gavel.stop();
    await append(bootstrap, [listingOf(itemId, "as it was")]);
    await append(bootstrap, [listingOf(itemId, "as it is")]);
    // The cleaner leaves the newest segment alone: records that follow roll it.
    const first = async () => {
      await append(bootstrap, [listingOf(itemIn(4), "rolls")]);
      return titlesOf(itemId);
    };
    await start();
    await expect.poll(first, patient).toEqual(["as it is"]);
    await list(later);
    await bid(later, 20);
    await expect.poll(() => bidsOf(later), patient).toBe(1);
    expect(await lettersIn(4)).toEqual([]);
    expect((await ready()).checks["history"]).toBeUndefined();
  });

  const titlesOf = async (itemId: string): Promise<unknown[]> => {
    const items = (await readTopic(gavel.local.bridge, topics.items)).flat();
    return items
      .filter(({ key }) => key === itemId)
      .map(({ value }) => (JSON.parse(value) as { readonly title: string }).title);
  };

  test("bids that were deleted before they were read are an event and a count, and the rest goes on", async () => {
    const itemId = itemIn(5);
    await list(itemId);
    const { body } = await ask<ItemAnswer & { position: number }>(`/v1/items/${itemId}`);
    await gavel.stop();
    await append(
      bootstrap,
      [5, 10, 15, 20].map((amount) => bidOn(itemId, "ann", amount)),
    );
    const gap = { from: body.position, to: body.position + 3 };
    const admin = adminOf(bootstrap);
    const partitions = [{ partition: 5, offset: BigInt(gap.to) }];
    await admin.deleteRecords({ topics: [{ name: topics.journal, partitions }] });
    await admin.close();
    await start();
    await expect.poll(() => bidsOf(itemId), patient).toBe(1);
    await expect.poll(async () => (await lettersIn(5)).length, patient).toBe(1);
    const [event] = await lettersIn(5);
    if (event === undefined) throw new Error("there is one");
    expect(header(event, "ce_type")).toBe(eventTypes.logGap);
    expect(header(event, "ce_id")).toBe(`${topics.journal}/5/${gap.from}-${gap.to}/gap`);
    const told = { group: "auction", topic: topics.journal, partition: 5, reason: "retention", ...gap };
    expect(JSON.parse(event.value)).toEqual(told);
    const { code, checks } = await ready();
    expect(code).toBe(200);
    expect(checks["history"]).toContain(`Partition 5: 3 offsets deleted unread, last ${topics.journal}`);
  });

  test("wiped then, it rebuilds from what is left, sends nothing twice, and what is new all the same", async () => {
    const [itemId, next] = [itemIn(5), itemIn(5)];
    await list(itemId);
    await bid(itemId, 20);
    await bid(itemId, 10);
    const notes = async () => (await readTopic(gavel.local.bridge, topics.notifications))[5] ?? [];
    await expect.poll(async () => (await notes()).length, patient).toBeGreaterThan(0);
    const before = await notes();
    await gavel.stop();
    rmSync(join(home, "objects"), { recursive: true });
    await start();
    await list(next);
    await bid(next, 20);
    await bid(next, 10);
    await expect.poll(async () => (await notes()).length, patient).toBe(before.length + 1);
    expect(await bidsOf(itemId)).toBe(1);
    const ids = (await notes()).map((record) => header(record, "ce_id"));
    expect(new Set(ids).size).toBe(ids.length);
    const [last, first] = [before.at(-1), (await notes()).at(-1)].map((record) =>
      Number(record && header(record, "gavel_sequence")),
    );
    expect(first).toBeGreaterThan(last ?? Number.POSITIVE_INFINITY);
  });

  test("a journal that was deleted and made again stops every partition, says so, and nothing of it is applied", async () => {
    const itemId = itemIn(6);
    await list(itemId);
    await bid(itemId, 20);
    await expect.poll(() => bidsOf(itemId), patient).toBe(1);
    await makeTopics(bootstrap, { [topics.journal]: 8 });
    // Grown past every position, so that offsets tell nothing.
    await append(
      bootstrap,
      Array.from({ length: 60 }, (_, index) => bidOn(itemId, "ann", 100 + index)),
    );
    await expect.poll(async () => (await ready()).code, patient).toBe(503);
    const reason = /Partition 6: auction\.bids was deleted and made again/;
    await expect.poll(async () => (await ready()).checks["partitions"], patient).toMatch(reason);
    expect(await bidsOf(itemId)).toBe(1);
    expect(gavel.output()).toContain('"event":"partition.stopped"');

    // A restart changes nothing: what does not move is not called ready.
    await gavel.stop();
    await expect(start()).rejects.toThrow(reason);
  });
});

function coordinatesOf({ value }: LogRecord): [topic: unknown, offset: unknown] {
  const { topic, offset } = JSON.parse(value) as { readonly topic: unknown; readonly offset: unknown };
  return [topic, offset];
}
