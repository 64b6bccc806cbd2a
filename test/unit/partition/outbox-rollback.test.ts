import { expect, test } from "vitest";
import type { LogRecord, ProduceRecord, ProduceResult } from "../../../src/kafka/port.ts";
import { topics } from "../../../src/topics.ts";
import { bid, MemoryLog, pushOf, settled, startsAt, World } from "./core-world.ts";

/** A log that tells of what it appended to the notifications when the test says so. */
class HeldLog extends MemoryLog {
  isHolding = false;
  private readonly held: (() => void)[] = [];

  override async produce(records: readonly ProduceRecord[]): Promise<readonly ProduceResult[]> {
    const results = await super.produce(records);
    if (this.isHolding && records[0]?.topic === topics.notifications)
      await new Promise<void>((resolve) => this.held.push(resolve));
    return results;
  }

  async tell(): Promise<void> {
    for (const tell of this.held.splice(0)) tell();
    for (let round = 0; round < 20; round += 1) await settled();
  }
}

function headerOf(record: LogRecord, name: string): string {
  return record.headers.find(({ key }) => key === name)?.value ?? "";
}

/** What the next group takes: what it has not seen, by sequence. */
function takenDownstream(records: readonly LogRecord[]): string[] {
  let last = 0;
  const ids: string[] = [];
  const bySequence = new Map<number, string>();
  for (const record of records) {
    const sequence = Number(headerOf(record, "gavel_sequence"));
    const id = headerOf(record, "ce_id");
    // A record that is sent again is the same record.
    expect(bySequence.get(sequence) ?? id).toBe(id);
    bySequence.set(sequence, id);
    if (sequence <= last) continue;
    expect(sequence).toBe(last + 1);
    last = sequence;
    ids.push(id);
  }
  return ids;
}

const bidders = 2_500;

/** Outputs of an item that closes; with a disk that fails once while its fan-out is being sent. */
async function notificationsOf(fails: boolean): Promise<string[]> {
  const log = new HeldLog();
  const world = new World(log);
  const { core, storage, clock } = world;
  await core.start();
  await world.list("lamp", startsAt + 60_000);
  const bids = Array.from({ length: bidders }, (_, number) =>
    log.append(bid("lamp", `bidder-${number}`, 10 + number, startsAt)),
  );
  await core.push(pushOf("journal", bids));
  await core.wake();
  clock.longSleepMs = 20;

  log.isHolding = true;
  const push = async (record: ProduceRecord): Promise<void> => {
    // While the disk fails, so does the call.
    core.push(pushOf("journal", [log.append(record)])).catch(() => undefined);
    for (let round = 0; round < 20; round += 1) await settled();
  };
  await push(bid("lamp", "late", 1, startsAt));
  await push(bid("nowhere", "ann", 1, startsAt + 70_000));
  // The refusal is acknowledged; the winner and a part of the losers are on their way.
  await log.tell();
  if (fails) storage.statementsLeft = 2;
  await push(bid("lamp", "later", 1, startsAt + 70_000));
  storage.statementsLeft = Number.POSITIVE_INFINITY;
  await log.tell();

  log.isHolding = false;
  await log.tell();
  clock.longSleepMs = 1_000;
  await clock.advance(60_000);
  await core.wake();
  await core.alarm();
  expect((await core.status()).outbox).toBe(0);
  return takenDownstream(log.topic(topics.notifications));
}

test("a transaction that fails while a fan-out is being sent changes nothing of what the next group takes", async () => {
  const undisturbed = await notificationsOf(false);
  expect(new Set(undisturbed).size).toBe(undisturbed.length);
  expect(undisturbed.length).toBe(bidders - 1 + bidders + 2);
  expect(await notificationsOf(true)).toEqual(undisturbed);
});
