import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog, type StoredMessage } from "./harness.ts";

const bytes = (messages: readonly unknown[]) => Buffer.byteLength(JSON.stringify(messages));

export function describeFetch(makeLog: MakeLog): void {
  describe("fetch", () => {
    let harness: Harness;
    const topics = { bids: 4, items: 1, wait: 3, large: 2, busy: 2, shared: 3 };
    const limits = { maxAnswerBytes: 4_096, maxRecordBytes: 100_000, maxWaitMs: 400 };
    beforeAll(async () => {
      harness = await Harness.start(makeLog, topics, limits);
    });
    afterAll(() => harness.stop());

    const timed = async (body: unknown) => {
      const started = performance.now();
      const answer = await harness.send<StoredMessage[]>("/fetch", body);
      return { ...answer, elapsed: performance.now() - started };
    };

    test("starts at any offset, also in the middle of what was written together", async () => {
      const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
      await harness.produce(values.map((value) => ({ topic: "bids", partition: 0, value })));
      for (const offset of values.keys()) {
        const read = await harness.fetch("bids", 0, offset);
        expect(read.map(({ value }) => value)).toEqual(values.slice(offset));
        expect(read[0]?.offset).toBe(offset);
      }
      const over = await harness.send(
        "/fetch",
        { topic: "bids", partition: 0, offset: 3, timeout: 0 },
        { method: "POST" },
      );
      expect(over.headers.get("content-type")).toBe("application/json");
    });

    test("is bounded, and reading on gives every record once", async () => {
      const values = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(index % 97, "."));
      for (let start = 0; start < values.length; start += 50) {
        await harness.produce(
          values.slice(start, start + 50).map((value) => ({ topic: "large", partition: 0, value })),
        );
      }
      const all: StoredMessage[] = [];
      for (;;) {
        const run = await harness.fetch("large", 0, all.length);
        if (run.length === 0) break;
        expect(bytes(run)).toBeLessThanOrEqual(limits.maxAnswerBytes + 2);
        all.push(...run);
      }
      expect(all.map(({ value }) => value)).toEqual(values);
    });

    test("brings a record that is larger than the bound, alone", async () => {
      const large = "x".repeat(50_000);
      const messages = ["small", large, "small"].map((value) => ({ topic: "large", partition: 1, value }));
      await harness.produce(messages);
      expect((await harness.fetch("large", 1, 0)).map(({ value }) => value)).toEqual(["small"]);
      expect((await harness.fetch("large", 1, 1)).map(({ value }) => value)).toEqual([large]);
      expect((await harness.fetch("large", 1, 2)).map(({ value }) => value)).toEqual(["small"]);
    });

    test("reads several partitions in one call, as the client asks for them with and without parallel", async () => {
      await harness.produce([
        { topic: "bids", partition: 1, value: "one" },
        { topic: "items", partition: 0, value: "two" },
      ]);
      const request = {
        topic: "bids",
        partition: 1,
        offset: 0,
        timeout: 0,
        topicPartitionOffsets: [{ topic: "items", partition: 0, offset: 0 }],
      };
      const consumer = harness.client.consumer();
      for (const options of [{ parallel: true }, { parallel: false }]) {
        const read = await consumer.fetch(request, options);
        expect(new Set(read.map(({ value }) => value))).toEqual(new Set(["one", "two"]));
      }
      const { topicPartitionOffsets } = request;
      expect((await harness.send("/fetch", { topicPartitionOffsets, timeout: 0 })).body).toHaveLength(1);
    });

    test("shares the bound among its partitions, and what one leaves goes to the others", async () => {
      const many = (partition: number, count: number) =>
        Array.from({ length: count }, () => ({ topic: "shared", partition, value: "x".repeat(100) }));
      await harness.produce([...many(0, 40), ...many(1, 40), ...many(2, 2)]);
      const positions = [0, 1, 2].map((partition) => ({ topic: "shared", partition, offset: 0 }));
      for (let call = 0; call < 10; call++) {
        const request = { topicPartitionOffsets: positions, timeout: 0 };
        const { body } = await harness.send<StoredMessage[]>("/fetch", request);
        const counts = positions.map(
          ({ partition }) => body.filter((one) => one.partition === partition).length,
        );
        // 4,096 bytes take some 21 records: a third of them at least for each that has as many.
        expect(Math.min(counts[0] ?? 0, counts[1] ?? 0)).toBeGreaterThanOrEqual(6);
        expect(counts[2]).toBe(2);
      }
    });

    test("neither a busy partition nor a record above the bound starves another one", async () => {
      const small = Array.from({ length: 200 }, (_, index) => ({
        topic: "busy",
        partition: 0,
        value: `${index}`,
      }));
      await harness.produce([...small, { topic: "busy", partition: 1, value: "x".repeat(20_000) }]);
      const request = {
        topicPartitionOffsets: [
          { topic: "busy", partition: 0, offset: 0 },
          { topic: "busy", partition: 1, offset: 0 },
        ],
        timeout: 0,
      };
      const seen = new Set<number>();
      for (let call = 0; call < 200 && seen.size < 2; call++) {
        const { body } = await harness.send<StoredMessage[]>("/fetch", request);
        for (const { partition } of body) seen.add(partition);
      }
      expect(seen).toEqual(new Set([0, 1]));
    });

    test("answers at once with a timeout of 0, and after the timeout when nothing comes", async () => {
      const position = { topic: "wait", partition: 0, offset: 0 };
      const now = await timed({ ...position, timeout: 0 });
      expect(now).toMatchObject({ status: 200, body: [] });
      const later = await timed({ ...position, timeout: 150 });
      expect(later).toMatchObject({ status: 200, body: [] });
      expect(later.elapsed).toBeGreaterThanOrEqual(145);
    });

    test("waits no longer than the cap, however long it is asked to", async () => {
      const { status, body, elapsed } = await timed({
        topic: "wait",
        partition: 0,
        offset: 0,
        timeout: 1e12,
      });
      expect({ status, body }).toEqual({ status: 200, body: [] });
      expect(elapsed).toBeGreaterThanOrEqual(limits.maxWaitMs - 5);
      expect(elapsed).toBeLessThan(5_000);
    });

    test("an offset past the end is waited for, and 0 means the first record", async () => {
      expect((await timed({ topic: "wait", partition: 0, offset: 1_000_000, timeout: 0 })).body).toEqual([]);
    });
  });

  describe("a waiting fetch", () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await Harness.start(makeLog, { wait: 3 });
    });
    afterAll(() => harness.stop());

    test("wakes at once when a record comes, on whichever of its partitions", async () => {
      const waiting = harness.send<StoredMessage[]>("/fetch", {
        topicPartitionOffsets: [0, 1, 2].map((partition) => ({ topic: "wait", partition, offset: 0 })),
        timeout: 20_000,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      const started = performance.now();
      await harness.produce([{ topic: "wait", partition: 2, value: "here" }]);
      expect((await waiting).body).toMatchObject([{ partition: 2, value: "here" }]);
      expect(performance.now() - started).toBeLessThan(1_000);
    });

    test("sleeps on while records come below its offset or elsewhere", async () => {
      const position = { topic: "wait", partition: 1, offset: 2, timeout: 20_000 };
      const waiting = harness.send<StoredMessage[]>("/fetch", position);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await harness.produce([
        { topic: "wait", partition: 1, value: "0" },
        { topic: "wait", partition: 2, value: "-" },
      ]);
      await harness.produce([{ topic: "wait", partition: 1, value: "1" }]);
      await harness.produce([{ topic: "wait", partition: 1, value: "2" }]);
      expect((await waiting).body).toMatchObject([{ offset: 2, value: "2" }]);
    });
  });
}
