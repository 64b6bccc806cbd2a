import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog } from "./harness.ts";

export function describePartialFailure(makeLog: MakeLog): void {
  describe("a produce of which only a part can be written", () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await Harness.start(makeLog, { bids: 4 }, { maxRecordBytes: 1_000 });
    });
    afterAll(() => harness.stop());

    test("has an error in the place of each record that failed", async () => {
      const answer = await harness.send("/produce", [
        { topic: "bids", partition: 0, value: "in" },
        { topic: "nowhere", partition: 0, value: "unknown topic" },
        { topic: "bids", partition: 4, value: "unknown partition" },
        { topic: "bids", partition: -1, value: "unknown partition" },
        { topic: "bids", partition: 1, value: "x".repeat(1_001) },
        { topic: "bids", partition: 0, value: "in too" },
      ]);
      const failed = (status: number) => ({ error: expect.any(String) as string, status });
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.body).toEqual([
        expect.objectContaining({ partition: 0, offset: 0 }),
        failed(404),
        failed(404),
        failed(404),
        failed(413),
        expect.objectContaining({ partition: 0, offset: 1 }),
      ]);
    });

    test("writes nothing behind a failed record of the same partition, and all of the others", async () => {
      const large = "x".repeat(1_001);
      const answer = await harness.send<{ status?: number; offset?: number }[]>("/produce", [
        { topic: "bids", partition: 2, value: "first" },
        { topic: "bids", partition: 2, value: large },
        { topic: "bids", partition: 3, value: "other" },
        { topic: "bids", partition: 2, value: "behind" },
        { topic: "bids", partition: 2, value: large },
        { topic: "bids", partition: 3, value: "other too" },
      ]);
      expect(answer.body.map(({ status }) => status ?? 200)).toEqual([200, 413, 200, 503, 413, 200]);
      expect((await harness.fetchAll("bids", 2)).map(({ value }) => value)).toEqual(["first"]);
      expect((await harness.fetchAll("bids", 3)).map(({ value }) => value)).toEqual(["other", "other too"]);
    });

    test("is an error as a whole when nothing could be written", async () => {
      const missing = [
        { topic: "nowhere", value: "1" },
        { topic: "bids", partition: 9, value: "2" },
      ];
      expect(await harness.send("/produce", missing)).toMatchObject({ status: 404, body: { status: 404 } });
      const large = { topic: "bids", partition: 1, value: "x".repeat(1_001) };
      expect(await harness.send("/produce", large)).toMatchObject({ status: 413, body: { status: 413 } });
    });

    test("a record's size is that of its text, not of the escapes it is written with", async () => {
      // 1,000 bytes of key, value and headers, 6,000 as written.
      const escaped = "\\u0001".repeat(997);
      const record = `{"topic":"bids","partition":1,"key":"k","value":"${escaped}","headers":[{"key":"a","value":"b"}]}`;
      expect(await harness.send("/produce", record)).toMatchObject({ status: 200 });
      const above = record.replace('"key":"k"', '"key":"kk"');
      expect(await harness.send("/produce", above)).toMatchObject({ status: 413 });
    });

    test("topics named like members of every object do not exist", async () => {
      for (const topic of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
        expect(await harness.send("/produce", [{ topic, value: "v" }])).toMatchObject({ status: 404 });
        const position = { topic, partition: 0, offset: 0, timeout: 0 };
        expect(await harness.send("/fetch", position)).toMatchObject({ status: 404 });
        expect(await harness.send("/offsets/latest", position)).toMatchObject({ status: 404 });
      }
    });
  });
}
