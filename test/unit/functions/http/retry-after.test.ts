import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { retryAfterMs } from "../../../../src/functions/http/retry-after.ts";

const now = Date.parse("1994-11-06T08:49:07Z");
const day = 86_400_000;

describe("Retry-After is understood", () => {
  test.each([
    ["in seconds", "120", 120_000],
    ["with blanks around it", " 5 ", 5_000],
    ["as a date", "Sun, 06 Nov 1994 08:49:37 GMT", 30_000],
    ["in the obsolete form of RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", 30_000],
    ["in that of asctime", "Sun Nov  6 08:49:37 1994", 30_000],
    ["up to a day, in seconds", "999999999999999999999", day],
    ["up to a day, as a date", "Fri, 31 Dec 1999 23:59:59 GMT", day],
  ])("%s", (_, header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });
});

test.each([
  ["is absent", null],
  ["is empty", ""],
  ["is zero", "0"],
  ["is below zero", "-5"],
  ["has a fraction", "1.5"],
  ["is a word", "soon"],
  ["is a date in the past", "Sun, 06 Nov 1994 08:49:06 GMT"],
  ["is a date of no form of HTTP's", "1994-11-06T08:49:37Z"],
  ["is a date that is none", "Sun, 99 Nov 1994 08:49:37 GMT"],
  ["is a date with another zone", "Sun, 06 Nov 1994 08:49:37 CET"],
])("a Retry-After that %s asks for nothing", (_, header) => {
  expect(retryAfterMs(header, now)).toBeUndefined();
});

test("whatever the header says, the delay is within a day", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.nat().map(String),
        fc.date().map((date) => String(date)),
      ),
      (header) => {
        const delay = retryAfterMs(header, now);
        if (delay !== undefined) expect(delay > 0 && delay <= day).toBe(true);
      },
    ),
  );
});

test("a date is the same moment in each of HTTP's forms", () => {
  const seconds = fc.integer({ min: 1, max: 86_400 });
  fc.assert(
    fc.property(seconds, (ahead) => {
      const [dayName = "", dayNumber = "", month = "", year = "", time = ""] = new Date(now + ahead * 1000)
        .toUTCString()
        .replace(",", "")
        .split(" ");
      const full = { Sun: "Sunday", Mon: "Monday" }[dayName] ?? "";
      for (const form of [
        `${dayName}, ${dayNumber} ${month} ${year} ${time} GMT`,
        `${full}, ${dayNumber}-${month}-${year.slice(2)} ${time} GMT`,
        `${dayName} ${month} ${dayNumber.replace(/^0/, " ")} ${time} ${year}`,
      ]) {
        expect(retryAfterMs(form, now)).toBe(ahead * 1000);
      }
    }),
  );
});
