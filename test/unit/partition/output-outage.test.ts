import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { startsAt, World } from "./core-world.ts";

test("a topic that takes no outputs is asked as its retries are due, not with every bid, and then has all of them", async () => {
  const world = new World();
  const { core, log, clock } = world;
  await core.start();
  await world.list("lamp", startsAt + 3_600_000);
  log.refused = topics.notifications;
  const before = log.produces;
  // Each is refused, which is an output; all of them within a second.
  for (let number = 0; number < 100; number += 1) await world.bid("lamp", "ann", 0);
  expect(clock.time - startsAt).toBeLessThan(1_000);
  expect(log.produces - before).toBe(1);
  expect((await core.status()).outbox).toBe(100);

  log.refused = "";
  clock.time += 1_000;
  await world.deliverDueAlarms(3);
  expect((await core.status()).outbox).toBe(0);
  expect(log.topic(topics.notifications)).toHaveLength(100);
});
