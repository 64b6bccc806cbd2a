import { expect, test } from "vitest";
import { bid, pushOf, startsAt, World } from "./core-world.ts";

async function digestAfterFailure(statements: number): Promise<string> {
  const world = new World();
  await world.core.start();
  await world.list("lamp", startsAt + 60_000);
  await world.bid("lamp", "ann", 10);
  const records = [20, 30].map((amount) => world.log.append(bid("lamp", "bob", amount, startsAt)));
  world.storage.statementsLeft = statements;
  await world.core.push(pushOf("journal", records)).catch(() => undefined);
  world.storage.statementsLeft = Number.POSITIVE_INFINITY;
  world.clock.time += 30_000;
  await world.core.wake();
  await world.bid("lamp", "cat", 40);
  return (await world.core.digest()).digest;
}

test("a disk that fails in a transaction, and while the state is read again, changes nothing for good", async () => {
  const undisturbed = await digestAfterFailure(Number.POSITIVE_INFINITY);
  for (let statements = 0; statements < 30; statements += 1) {
    expect(await digestAfterFailure(statements), `after ${statements} statements`).toBe(undisturbed);
  }
});
