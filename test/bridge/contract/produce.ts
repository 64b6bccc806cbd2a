import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partitionFor } from "../../../src/kafka/partitioner.ts";
import { Harness, type LogTraits, type MakeLog } from "./harness.ts";

/** Any string: also lone surrogates, controls and what lies beyond the basic plane. */
const anyText = fc.string({ unit: fc.oneof(fc.string({ unit: "binary", minLength: 1 }), anyCodeUnit()) });

function anyCodeUnit() {
  return fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
}

export function describeProduce(makeLog: MakeLog, traits: LogTraits): void {
  describe("produce", () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await Harness.start(makeLog, { bids: 4, texts: 1, order: 4, keyed: 8 });
    });
    afterAll(() => harness.stop());

    test("a record is answered with its place and comes back with all that it was sent with", async () => {
      const headers = [
        { key: "ce_id", value: "1" },
        { key: "ce_id", value: "2" },
      ];
      const message = {
        topic: "bids",
        partition: 1,
        key: "k",
        value: "v",
        timestamp: 1_700_000_000_123,
        headers,
      };
      const [metadata] = await harness.produce([message]);
      expect(metadata).toEqual({ topic: "bids", partition: 1, offset: 0, timestamp: 1_700_000_000_123 });
      expect(await harness.fetch("bids", 1, 0)).toEqual([{ ...message, offset: 0 }]);
    });

    test("the real client produces one and many, and reads them back", async () => {
      const producer = harness.client.producer();
      const one = await producer.produce("bids", { amount: 5 }, { partition: 2, key: "item" });
      expect(one).toMatchObject({ topic: "bids", partition: 2, offset: 0 });
      const many = await producer.produceMany([
        { topic: "bids", value: "a", partition: 2 },
        { topic: "bids", value: { b: 1 }, partition: 2, headers: [{ key: "h", value: "1" }] },
      ]);
      expect(many.map(({ offset }) => offset)).toEqual([1, 2]);
      const read = await harness.client
        .consumer()
        .fetch({ topic: "bids", partition: 2, offset: 0, timeout: 0 });
      expect(read.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual([
        { key: "item", value: '{"amount":5}', headers: [] },
        { key: "", value: "a", headers: [] },
        { key: "", value: '{"b":1}', headers: [{ key: "h", value: "1" }] },
      ]);
    });

    test("every form of the path writes: topic in it, message in it, array or not, slash or not", async () => {
      const forms = [
        await harness.send("/produce/bids", { value: "1", partition: 3 }),
        await harness.send("/produce/bids/", [{ value: "2", partition: 3, topic: "texts" }]),
        await harness.send("/produce", { topic: "bids", value: "3", partition: 3 }),
        await harness.send("/produce/", [{ topic: "bids", value: "4", partition: 3 }]),
      ];
      expect(forms.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      for (const [offset, { body }] of forms.entries()) {
        expect(body).toMatchObject([{ topic: "bids", partition: 3, offset }]);
      }
      const text = encodeURIComponent("4/5 ü?");
      const single = await harness.send(`/produce/bids/${text}?key=k%26?`);
      const partition = partitionFor("k&?", 4);
      expect(single.body).toMatchObject({ topic: "bids", partition });
      const { offset } = single.body as { offset: number };
      expect(await harness.fetch("bids", partition, offset)).toMatchObject([{ key: "k&?", value: "4/5 ü?" }]);
    });

    test("the highest and the lowest timestamp are kept to the millisecond", async () => {
      for (const timestamp of [0, Number.MAX_SAFE_INTEGER]) {
        const [metadata] = await harness.produce([{ topic: "bids", partition: 0, value: "v", timestamp }]);
        expect(metadata?.timestamp).toBe(timestamp);
        expect(await harness.fetch("bids", 0, metadata?.offset ?? -1)).toMatchObject([{ timestamp }]);
        const at = await harness.send(`/offsets/${timestamp}`, { topic: "bids", partition: 0 });
        expect(at.body).toEqual([
          { topic: "bids", partition: 0, offset: timestamp === 0 ? 0 : metadata?.offset },
        ]);
      }
    });

    test("an empty batch is answered with an empty array", async () => {
      expect(await harness.send("/produce", [])).toMatchObject({ status: 200, body: [] });
    });

    test("a record without a timestamp gets the bridge's clock, null stands for an absent field", async () => {
      const before = Date.now();
      const message = { topic: "bids", partition: 0, key: null, value: "v", timestamp: null, headers: null };
      const [metadata] = await harness.produce([message]);
      expect(metadata?.timestamp).toBeGreaterThanOrEqual(before);
      expect(metadata?.timestamp).toBeLessThanOrEqual(Date.now());
      const [read] = await harness.fetch("bids", 0, metadata?.offset ?? -1);
      expect(read).toEqual({ ...metadata, key: "", value: "v", headers: [] });
    });

    test("any text survives unchanged, or is refused where the log can only write UTF-8", async () => {
      await fc.assert(
        fc.asyncProperty(anyText, anyText, anyText, anyText, async (key, value, name, text) => {
          const headers = [{ key: name, value: text }];
          const message = { topic: "texts", key, value, headers };
          if (traits.isUtf8 && ![key, value, name, text].every((one) => one.isWellFormed())) {
            expect(await harness.send("/produce", [message])).toMatchObject({ status: 422 });
            return;
          }
          const [metadata] = await harness.produce([message]);
          const [read] = await harness.fetch("texts", 0, metadata?.offset ?? -1);
          expect(read).toMatchObject({ key, value, headers });
        }),
        { numRuns: 200 },
      );
    });

    test("records written by hand, with white space, escapes and fields in any order, read the same", async () => {
      const body = `\t[ {\r\n "v\\u0061lue" : "\\u0041\\/\\n" , "headers" : [ { "value" : "2" , "more" : [1, {}] , "key" : "a" } ] ,
        "other" : { "deep" : [ null , -1.5e3 , true ] } , "topic" : "texts" , "key" : "" , "value" : "last" } ] `;
      const { status, body: answer } = await harness.send<{ offset: number }[]>("/produce", body);
      expect(status).toBe(200);
      const read = await harness.fetch("texts", 0, answer[0]?.offset ?? -1);
      expect(read).toMatchObject([{ key: "", value: "last", headers: [{ key: "a", value: "2" }] }]);
    });

    test("a key without a partition goes where Kafka's default partitioner puts it", async () => {
      const keys = Array.from({ length: 50 }, (_, index) => `key-${index}-ü`);
      const metadata = await harness.produce(keys.map((key) => ({ topic: "keyed", key, value: key })));
      expect(metadata.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionFor(key, 8)));
      const unkeyed = await harness.produce([
        { topic: "keyed", value: "1" },
        { topic: "keyed", value: "2" },
      ]);
      expect(unkeyed[0]?.partition).toBe(unkeyed[1]?.partition);
    });

    test("concurrent requests: each one's records are contiguous and in order, offsets are dense", async () => {
      const requests = Array.from({ length: 40 }, (_, request) =>
        Array.from({ length: 60 }, (_unused, index) => ({
          topic: "order",
          partition: index % 4,
          value: JSON.stringify({ request, index }),
        })),
      );
      const answers = await Promise.all(requests.map((messages) => harness.produce(messages)));
      for (const partition of [0, 1, 2, 3]) {
        for (const metadata of answers) {
          const offsets = metadata.filter((one) => one.partition === partition).map(({ offset }) => offset);
          expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index));
        }
        const stored = await harness.fetchAll("order", partition);
        expect(stored.map(({ offset }) => offset)).toEqual(Array.from({ length: 600 }, (_, index) => index));
        for (const [request, metadata] of answers.entries()) {
          const mine = stored.filter(
            ({ value }) => (JSON.parse(value) as { request: number }).request === request,
          );
          const sent = metadata.filter((one) => one.partition === partition);
          expect(mine.map(({ offset }) => offset)).toEqual(sent.map(({ offset }) => offset));
          const indexes = mine.map(({ value }) => (JSON.parse(value) as { index: number }).index);
          expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
        }
      }
    });
  });
}
