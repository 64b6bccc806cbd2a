import { expect, test } from "vitest";
import { Waiters } from "../../../durable-objects/waiters.ts";
import { HandClock } from "./core-world.ts";

test("who waited in vain, for an offset that may never come, leaves nothing behind", async () => {
  const clock = new HandClock();
  const waiters = new Waiters(clock);
  const reached = waiters.reachedWithin("journal", 999_999_999, 2_000);
  const outcome = waiters.outcomeWithin("journal", 999_999_999, 2_000);
  expect(waiters.size).toBe(2);
  await clock.advance(2_000);
  expect([await reached, await outcome]).toEqual([false, undefined]);
  expect(waiters.size).toBe(0);
});

test("who waits for an offset is told once the position is behind it, and not before", async () => {
  const clock = new HandClock();
  const waiters = new Waiters(clock);
  const told: string[] = [];
  void waiters.reached("journal", 5).then((reached) => told.push(`journal ${reached}`));
  void waiters.reachedWithin("items", 5, 2_000).then((reached) => told.push(`items ${reached}`));
  waiters.advance(5, 5);
  await clock.advance(0);
  expect(told).toEqual([]);
  waiters.advance(6, 5);
  await clock.advance(0);
  expect(told).toEqual(["journal true"]);
  waiters.advance(6, 6);
  await clock.advance(0);
  expect(told).toEqual(["journal true", "items true"]);
  expect(waiters.size).toBe(0);
});
