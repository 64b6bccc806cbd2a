import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog } from "./harness.ts";

interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function describeOffsets(makeLog: MakeLog): void {
  describe("offsets and topics", () => {
    let harness: Harness;
    const runs = 60;
    beforeAll(async () => {
      harness = await Harness.start(makeLog, { bids: 2, empty: 1, times: runs + 1 });
      await harness.produce(["a", "b", "c"].map((value) => ({ topic: "bids", partition: 1, value })));
    });
    afterAll(() => harness.stop());

    const offsets = async (at: string | number, body: unknown) =>
      (await harness.send<Position[]>(`/offsets/${at}`, body)).body;

    test("earliest and latest are the first offset and the end, for one or several partitions", async () => {
      expect(await offsets("latest", { topic: "bids", partition: 1 })).toEqual([
        { topic: "bids", partition: 1, offset: 3 },
      ]);
      const both = [
        { topic: "empty", partition: 0 },
        { topic: "bids", partition: 1 },
      ];
      expect((await offsets("earliest", both)).map(({ offset }) => offset)).toEqual([0, 0]);
      expect((await offsets("latest", both)).map(({ offset }) => offset)).toEqual([0, 3]);
      expect(await offsets("latest", [])).toEqual([]);
    });

    test("the real client asks for both, and for a time", async () => {
      const admin = harness.client.admin();
      const topicPartition = { topic: "bids", partition: 1 };
      for (const [timestamp, offset] of [
        ["earliest", 0],
        ["latest", 3],
        [0, 0],
        [Date.now() + 60_000, 3],
      ] as const) {
        expect(await admin.topicPartitionOffsets({ timestamp, topicPartition })).toEqual([
          { ...topicPartition, offset },
        ]);
      }
      expect(await admin.topics()).toEqual({ bids: 2, empty: 1, times: runs + 1 });
    });

    test("a time gives the first record at or after it, although timestamps go back and forth", async () => {
      let partition = 0;
      const time = fc.integer({ min: 0, max: 40 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(time, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
          async (requests) => {
            const mine = { topic: "times", partition: partition++ };
            for (const timestamps of requests) {
              await harness.produce(timestamps.map((timestamp) => ({ ...mine, value: "", timestamp })));
            }
            const log = requests.flat();
            for (let wanted = 0; wanted <= 41; wanted += 3) {
              const first = log.findIndex((timestamp) => timestamp >= wanted);
              const [found] = await offsets(wanted, mine);
              expect(found?.offset).toBe(first === -1 ? log.length : first);
            }
          },
        ),
        { numRuns: runs },
      );
    });
  });
}
