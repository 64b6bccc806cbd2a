import { type CompressionAlgorithmValue, crc32c, Reader, readRecordsBatches } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyJsonText, LoneSurrogateError } from "../../../bridge/kafka/json-text.ts";
import { encodeBatch, identify } from "../../../bridge/kafka/record-batch.ts";
import { encodeRecord } from "../../../bridge/kafka/record-encoder.ts";
import { type AppendRecord, jsonSlice, type JsonSlice } from "../../../bridge/log.ts";

/** Any text that UTF-8 can write: also controls, quotes, and what lies beyond the basic plane. */
const wellFormed = fc.string({ unit: "binary" });

/** The same text with each of its characters written in one of the ways that JSON has for it. */
function escapedAnyhow(text: string, choices: readonly number[]): Buffer {
  const parts = Array.from(text, (character, index) => {
    const choice = (choices[index % choices.length] ?? 0) % 3;
    const escaped = Array.from({ length: character.length }, (_, unit) => {
      const code = character.charCodeAt(unit).toString(16).padStart(4, "0");
      return `\\u${choice === 1 ? code : code.toUpperCase()}`;
    }).join("");
    if (choice !== 0) return escaped;
    return character === "/" ? "\\/" : JSON.stringify(character).slice(1, -1);
  });
  return Buffer.from(`"${parts.join("")}"`);
}

function slice(bytes: Buffer): JsonSlice {
  return { bytes, start: 0, end: bytes.length };
}

describe("a JSON text", () => {
  test("is written as the UTF-8 that it stands for, however it is escaped", () => {
    const choices = fc.array(fc.nat(2), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(wellFormed, choices, (text, choice) => {
        const source = escapedAnyhow(text, choice);
        const target = Buffer.alloc(source.length);
        const copied = { source: 0, target: 0 };
        copyJsonText(source, 0, target, 0, copied);
        expect(target.toString("utf8", 0, copied.target)).toBe(text);
        expect(copied.source).toBe(source.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['"\\ud800"', '"\\udc00 "', '"\\ud800\\u0041"', '"\\ud800x"', '"\\udbff\\udbff"'])(
    "with half of a surrogate pair is refused: %s",
    (text) => {
      const source = Buffer.from(text);
      const copy = () => copyJsonText(source, 0, Buffer.alloc(64), 0, { source: 0, target: 0 });
      expect(copy).toThrow(LoneSurrogateError);
    },
  );
});

const header = fc.record({ key: wellFormed, value: wellFormed });
const record: fc.Arbitrary<AppendRecord> = fc
  .record({
    timestamp: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
    key: fc.option(wellFormed),
    value: fc.oneof(wellFormed, fc.string({ minLength: 300, maxLength: 100_000 })),
    headers: fc.array(header, { maxLength: 4 }),
  })
  .map(({ timestamp, key, value, headers }) => ({
    topic: "t",
    partition: 0,
    timestamp,
    key: key === null ? null : jsonSlice(key),
    value: jsonSlice(value),
    headers: jsonSlice(headers),
  }));

function plain({ bytes, start, end }: JsonSlice): unknown {
  return JSON.parse(bytes.toString("utf8", start, end));
}

describe("a batch of records", () => {
  test.each<CompressionAlgorithmValue>(["none", "gzip", "snappy", "lz4", "zstd"])(
    "reads back with Kafka's own format as it was sent, compression %s",
    (compression) => {
      fc.assert(
        fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
          const bytes = encodeBatch(
            records.map((one) => encodeRecord(one)),
            compression,
          );
          identify(bytes, { producerId: 7_000_000_000n, producerEpoch: 3, firstSequence: 9 });
          const [batch, ...more] = readRecordsBatches(Reader.from(bytes));
          expect(more).toEqual([]);
          expect(batch).toMatchObject({
            magic: 2,
            length: bytes.length - 12,
            crc: crc32c(bytes.subarray(21)),
            producerId: 7_000_000_000n,
            producerEpoch: 3,
            firstSequence: 9,
            lastOffsetDelta: records.length - 1,
            maxTimestamp: BigInt(Math.max(...records.map(({ timestamp }) => timestamp))),
          });
          const read = batch?.records.map(({ key, value, headers, timestampDelta, offsetDelta }) => ({
            key: key?.toString() ?? null,
            value: value?.toString(),
            headers: headers.map(([name, text]) => ({ key: String(name), value: String(text) })),
            timestamp: Number(batch.firstTimestamp + timestampDelta),
            offsetDelta,
          }));
          expect(read).toEqual(
            records.map(({ key, value, headers, timestamp }, offsetDelta) => ({
              key: key === null ? null : plain(key),
              value: plain(value),
              headers: plain(headers),
              timestamp,
              offsetDelta,
            })),
          );
        }),
        { numRuns: 100 },
      );
    },
  );

  test("keeps the client's own bytes: what a body holds between escapes is copied", () => {
    const value = slice(Buffer.from('"caf\u00e9 \ud83c\udf89 \\"\\\\\\/\\b\\f\\n\\r\\t"'));
    const headers = jsonSlice([]);
    const { content } = encodeRecord({ topic: "t", partition: 0, timestamp: 0, key: null, value, headers });
    expect(content.includes(Buffer.from('café 🎉 "\\/\b\f\n\r\t'))).toBe(true);
  });
});
