import { expect, test } from "vitest";
import { bid, pushOf, startsAt, World } from "./core-world.ts";

test("a digest is of the state at the position that it names, also when records are applied meanwhile", async () => {
  const world = new World();
  const { core, log } = world;
  await core.start();
  await world.list("lamp", startsAt + 60_000);
  const bids = Array.from({ length: 2_500 }, (_, number) =>
    log.append(bid("lamp", "ann", 10 + number, startsAt)),
  );
  await core.push(pushOf("journal", bids));
  const before = await core.digest();
  const meanwhile = core.digest();
  await world.bid("lamp", "bob", 5_000);
  const told = await meanwhile;
  const after = await core.digest();
  expect(after.position).toBe(before.position + 1);
  expect([before, after]).toContainEqual(told);
});
