import { expect, test } from "vitest";
import type { ProduceRecord, ProduceResult } from "../../../src/kafka/port.ts";
import { LogError } from "../../../src/kafka/port.ts";
import { topics } from "../../../src/topics.ts";
import { bid, pushOf, startsAt, World } from "./core-world.ts";
import { NarrowLog } from "./narrow-log.ts";

/** An item with a bid that stands, and bids too low for it, each of which is told its bidder. */
async function withRejections(log: NarrowLog, count: number): Promise<World> {
  const world = new World(log);
  await world.core.start();
  await world.list("lamp", startsAt + 60_000);
  await world.bid("lamp", "ann", 500);
  const bids = Array.from({ length: count }, (_, index) =>
    log.append(bid("lamp", `b-${index}`, 1, startsAt)),
  );
  await world.core.push(pushOf("journal", bids));
  return world;
}

function sequences(log: NarrowLog): number[] {
  return log.topic(topics.notifications).map(({ headers }) => {
    return Number(headers.find(({ key }) => key === "gavel_sequence")?.value);
  });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test("outputs that the log does not take together are sent in smaller requests, in order and once", async () => {
  const log = new NarrowLog();
  const world = await withRejections(log, 40);
  log.maximumRequest = 1_000;
  const status = await world.core.wake();
  expect(status).toMatchObject({ outbox: 0 });
  expect(status.stalled).toBeUndefined();
  expect(sequences(log)).toEqual(upTo(40));
});

/** Takes the first request that is small enough, and is away for the next. */
class OnceAwayLog extends NarrowLog {
  private taken = 0;

  override async produce(records: readonly ProduceRecord[]): Promise<ProduceResult[]> {
    if (this.maximumRequest === Number.POSITIVE_INFINITY) return super.produce(records);
    if (this.taken === 1) {
      this.taken += 1;
      throw new LogError("unavailable", "none", "the log is away");
    }
    const results = await super.produce(records);
    this.taken += 1;
    return results;
  }
}

test("what the log took of them before it failed is not sent again", async () => {
  const log = new OnceAwayLog();
  const world = await withRejections(log, 40);
  log.maximumRequest = 1_000;
  await world.core.wake();
  await world.clock.advance(1_000);
  expect(await world.core.wake()).toMatchObject({ outbox: 0 });
  expect(sequences(log)).toEqual(upTo(40));
});
