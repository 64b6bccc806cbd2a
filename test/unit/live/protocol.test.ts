import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCursor, encodeCursor, fingerprintOf, longestCursor } from "../../../src/live/cursor.ts";
import { isNews, sequenceIn, versionOf, versionPattern } from "../../../src/live/item.ts";
import { endings, readAcknowledgement } from "../../../src/live/protocol.ts";
import { liveItem } from "./world.ts";

const id = fc.stringMatching(/^[A-Za-z0-9._:~-]{1,64}$/);
const itemIds = fc.uniqueArray(id, { minLength: 1, maxLength: 64 }).map((ids) => ids.sort());
const version = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map((sequence) => {
  return sequence % 7 === 0 ? "" : versionOf(liveItem("a", sequence));
});

test("a cursor says of each item of its set what its bearer has, and fits", () => {
  fc.assert(
    fc.property(itemIds, fc.array(version, { minLength: 64, maxLength: 64 }), (ids, versions) => {
      const had = versions.slice(0, ids.length);
      const cursor = encodeCursor(fingerprintOf(ids), had);
      expect(cursor.length).toBeLessThanOrEqual(longestCursor);
      expect(encodeURIComponent(cursor)).toBe(cursor);
      expect(decodeCursor(cursor, ids)).toEqual(had);
    }),
  );
});

test("a cursor of another set counts for nothing", () => {
  const cursor = encodeCursor(fingerprintOf(["a", "b"]), [versionOf(liveItem("a", 3)), ""]);
  expect(decodeCursor(cursor, ["a", "c"])).toEqual(["", ""]);
  expect(decodeCursor(cursor, ["a"])).toEqual([""]);
  expect(decodeCursor(cursor, ["a", "b", "c"])).toEqual(["", "", ""]);
});

test("whatever a client sends as a cursor is one or is refused, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const decoded = decodeCursor(text, ["a", "b"]);
      if (decoded !== undefined) expect(decoded).toHaveLength(2);
    }),
  );
  for (const text of ["", "abcdef", ".", "abcdef.!", "abcdef.1", `abcdef.${"1AAAA.".repeat(400)}1AAAA`]) {
    expect(decodeCursor(text, ["a"])).toBeUndefined();
  }
});

test("a version is of the state that is told, and not of when it was read", () => {
  const state = liveItem("a", 5);
  expect(versionOf(state)).toMatch(versionPattern);
  expect(sequenceIn(versionOf(state))).toBe(5);
  expect(versionOf({ ...state, position: 999, asOf: "2027-01-01T00:00:00.000Z" })).toBe(versionOf(state));
  expect(versionOf(liveItem("a", 5, { bids: 17 }))).not.toBe(versionOf(state));
  expect(versionOf(liveItem("a", 6))).not.toBe(versionOf(state));
});

test("what is news: more, or other content, or less where it is settled that there is no more", () => {
  const [lower, same, higher] = [4, 5, 6].map((sequence) => versionOf(liveItem("a", sequence)));
  const other = versionOf(liveItem("a", 5, { bids: 17 }));
  expect(isNews("", same ?? "", false)).toBe(true);
  expect(isNews(same ?? "", same ?? "", true)).toBe(false);
  expect(isNews(same ?? "", higher ?? "", false)).toBe(true);
  expect(isNews(same ?? "", other, false)).toBe(true);
  expect(isNews(same ?? "", lower ?? "", false)).toBe(false);
  expect(isNews(same ?? "", lower ?? "", true)).toBe(true);
});

test("an acknowledgement is read, and anything else ends the connection", () => {
  expect(readAcknowledgement('{"ack":7}')).toBe(7);
  expect(readAcknowledgement(' { "ack" : 7 } ')).toBe(7);
  expect(readAcknowledgement(new ArrayBuffer(1))).toBe(endings.binary);
  expect(readAcknowledgement(`{"ack":${"1".repeat(70)}}`)).toBe(endings.tooLong);
  const wrong = [
    "",
    "7",
    "null",
    '{"ack":-1}',
    '{"ack":1.5}',
    '{"ack":"7"}',
    '{"ack":7,"ack":8}',
    '{"ack":1e3}',
  ];
  for (const text of wrong) expect(readAcknowledgement(text)).toBe(endings.notUnderstood);
});
