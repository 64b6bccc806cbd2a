import { expect, test } from "vitest";
import { computeNextAlarm, guardMs } from "../../../durable-objects/alarm.ts";

const now = 1_000_000;
const idle = { now, retryAt: null, hasWork: false, nextDue: null, tickNotBefore: 0, trustedTime: false };

test("a partition with nothing to wait for sets no alarm", () => {
  expect(computeNextAlarm(idle)).toBeNull();
});

test("the alarm fires when the next item is due", () => {
  expect(computeNextAlarm({ ...idle, nextDue: now + 500 })).toBe(now + 500);
});

test("what was due in the past is due now", () => {
  expect(computeNextAlarm({ ...idle, nextDue: now - 500 })).toBe(now);
});

test("while trusted times drive the clock, nothing is due by the wall clock", () => {
  expect(computeNextAlarm({ ...idle, nextDue: now + 500, trustedTime: true })).toBeNull();
});

test("work under way is looked after within the guard, also while trusted times drive the clock", () => {
  expect(computeNextAlarm({ ...idle, hasWork: true, trustedTime: true })).toBe(now + guardMs);
});

test("of a retry, a guard and a due item the earliest wins", () => {
  const all = { ...idle, hasWork: true, nextDue: now + 9_000, retryAt: now + 1_000 };
  expect(computeNextAlarm(all)).toBe(now + 1_000);
  expect(computeNextAlarm({ ...all, retryAt: now + 20_000 })).toBe(now + 9_000);
});

test("a tick that could not be made is not tried before its time", () => {
  expect(computeNextAlarm({ ...idle, nextDue: now - 500, tickNotBefore: now + 1_000 })).toBe(now + 1_000);
  expect(computeNextAlarm({ ...idle, nextDue: now + 5_000, tickNotBefore: now + 1_000 })).toBe(now + 5_000);
});

test("a retry that did not come about in its time is left to the guard", () => {
  expect(computeNextAlarm({ ...idle, retryAt: now - 1 })).toBe(now + guardMs);
});
