import { expect, test } from "vitest";
import { Failures } from "../../../durable-objects/failures.ts";

test("an activity that fails in a row is tried again exponentially later, at most after thirty seconds", () => {
  const failures = new Failures();
  const delays = Array.from({ length: 8 }, () => {
    failures.fail("relay items", "the log is away", 0);
    return failures.retryAt;
  });
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("one activity's success does not hide another's failure", () => {
  const failures = new Failures();
  failures.fail("read the journal", "the log is away", 0);
  failures.fail("send outputs", "it timed out", 500);
  failures.succeed("send outputs");
  expect(failures.summaryAt(500)).toBe("could not read the journal: the log is away");
  expect(failures.retryAt).toBe(1_000);
});

test("a success starts the delays anew", () => {
  const failures = new Failures();
  failures.fail("tick", "no", 0);
  failures.fail("tick", "no", 0);
  failures.succeed("tick");
  expect(failures.retryAt).toBeNull();
  expect(failures.summaryAt(0)).toBeUndefined();
  failures.fail("tick", "no", 0);
  expect(failures.retryAt).toBe(1_000);
});

test("what waits is looked at soon, however often, and told only once it lasts", () => {
  const failures = new Failures();
  expect(failures.wait("read the journal", "a transaction is open", 0)).toBe(true);
  for (const now of [500, 1_000, 4_500]) {
    expect(failures.wait("read the journal", "a transaction is open", now)).toBe(false);
    expect(failures.retryAt).toBe(now + 500);
    expect(failures.summaryAt(now)).toBeUndefined();
  }
  expect(failures.summaryAt(5_000)).toBe("could not read the journal: a transaction is open");
  failures.succeed("read the journal");
  expect(failures.wait("read the journal", "a transaction is open", 6_000)).toBe(true);
  expect(failures.summaryAt(6_000)).toBeUndefined();
});
