import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalTimestamp, formatTimestamp, parseTimestamp } from "../../../src/lib/time.ts";

test.each([
  ["2026-11-24T02:23:36.017Z", 1795487016017],
  ["2026-11-24T02:23:36Z", 1795487016000],
  ["2026-11-24t02:23:36.0179z", 1795487016017],
  ["2026-11-24T04:23:36+02:00", 1795487016000],
  ["2026-11-23T20:53:36-05:30", 1795487016000],
  ["2024-02-29T00:00:00Z", 1709164800000],
  ["1970-01-01T00:00:00Z", 0],
  ["0001-01-01T00:00:00Z", -62135596800000],
  ["0000-01-01T00:00:00Z", -62167219200000],
  ["9999-12-31T23:59:59.999Z", 253402300799999],
])("%s is %d ms", (text, expected) => {
  expect(parseTimestamp(text)).toBe(expected);
});

test.each([
  "2026-02-29T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-10T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T23:60:00Z",
  "2026-06-30T23:59:60Z",
  "2026-01-01T00:00:00",
  "2026-01-01",
  "2026-01-01 00:00:00Z",
  "2026-01-01T00:00Z",
  "2026-01-01T00:00:00.Z",
  "2026-01-01T00:00:00+24:00",
  "2026-01-01T00:00:00+0200",
  "+002026-01-01T00:00:00Z",
  " 2026-01-01T00:00:00Z",
  "Tue, 24 Nov 2026 02:23:36 GMT",
  "0000-01-01T00:00:00+00:01",
  "9999-12-31T23:59:59-00:01",
  "",
])("%j is no timestamp", (text) => {
  expect(parseTimestamp(text)).toBeNull();
});

test("a timestamp and its canonical form are the same time, in UTC with milliseconds", () => {
  const offset = fc.integer({ min: -1439, max: 1439 });
  const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
  fc.assert(
    fc.property(time, offset, (at, minutes) => {
      const sign = minutes < 0 ? "-" : "+";
      const clock = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
      const suffix = sign + clock.map((part) => String(part).padStart(2, "0")).join(":");
      const local = formatTimestamp(at + minutes * 60_000).replace("Z", suffix);
      expect(parseTimestamp(local)).toBe(at);
      expect(canonicalTimestamp(local)).toBe(new Date(at).toISOString());
    }),
  );
});
