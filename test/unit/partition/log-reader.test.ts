import { expect, test } from "vitest";
import { LogReader } from "../../../durable-objects/log-reader.ts";
import type { FetchAnswer, KafkaLog } from "../../../src/kafka/port.ts";
import { HandClock, MemoryLog, World, bid, settled, startsAt } from "./core-world.ts";

const topic = "auction.bids";

/** A log whose answers are told when the test says so, as they were when the question came. */
class SlowLog extends MemoryLog {
  private readonly told: (() => void)[] = [];

  override fetch(from: Parameters<KafkaLog["fetch"]>[0]): Promise<FetchAnswer> {
    const answer = super.fetch(from);
    return new Promise((resolve) => this.told.push(() => resolve(answer)));
  }

  /** Tells the oldest answer that is not told yet, and lets follow what follows. */
  async tell(): Promise<void> {
    this.told.shift()?.();
    await settled();
  }
}

function readerOver(log: KafkaLog): { readonly reader: LogReader; readonly taken: number[] } {
  const taken: number[] = [];
  const { storage } = new World();
  const dependencies = {
    group: "auction",
    partition: 0,
    storage,
    log,
    clock: new HandClock(),
    logger: () => undefined,
    handOn: () => undefined,
    settings: {
      topicPrefix: "",
      closeGraceMs: 0,
      earlyBidWaitMs: 0,
      retentionMs: 0,
      produceTimeoutMs: 0,
    },
  };
  const reader = new LogReader(dependencies, {
    topic,
    position: () => (taken.at(-1) ?? -1) + 1,
    isReady: () => true,
    recognize: () => undefined,
    skipTo: () => undefined,
    lose: () => undefined,
    take: (run) => void taken.push(...run.map(({ offset }) => offset)),
    onFailure: (error) => {
      throw error;
    },
    onSuccess: () => undefined,
  });
  return { reader, taken };
}

function record(): ReturnType<typeof bid> {
  return bid("lamp", "ann", 1, startsAt);
}

test("whoever asks for the log's end is not answered by a fetch that left before", async () => {
  const log = new SlowLog();
  const { reader, taken } = readerOver(log);
  const first = reader.catchUp();
  await settled();
  // The first fetch saw an empty log and is on its way back.
  log.append(record());
  const second = reader.catchUp();
  await log.tell();
  await log.tell();
  await log.tell();
  await log.tell();
  await Promise.all([first, second]);
  expect(taken).toEqual([0]);
});

test("nor by a stretch that was fetched ahead before", async () => {
  const log = new SlowLog();
  log.append(record());
  const { reader, taken } = readerOver(log);
  const first = reader.catchUp();
  await settled();
  await log.tell();
  expect(taken).toEqual([0]);
  log.append(record());
  const second = reader.catchUp();
  for (let answer = 0; answer < 5; answer += 1) await log.tell();
  await Promise.all([first, second]);
  expect(taken).toEqual([0, 1]);
});

test("records that are handed in while the log is asked are taken, not taken for a hole in the log", async () => {
  const log = new SlowLog();
  const { reader, taken } = readerOver(log);
  const first = reader.catchUp();
  await settled();
  reader.offer([log.append(record()), log.append(record())]);
  for (let answer = 0; answer < 3; answer += 1) await log.tell();
  await first;
  expect(taken).toEqual([0, 1]);
});

test("a record that is handed in ahead of a lost one while the log is asked makes it ask again", async () => {
  const log = new SlowLog();
  const { reader, taken } = readerOver(log);
  const first = reader.catchUp();
  await settled();
  log.append(record());
  reader.offer([log.append(record())]);
  for (let answer = 0; answer < 3; answer += 1) await log.tell();
  await first;
  expect(taken).toEqual([0, 1]);
});
