import { describe, expect, test } from "vitest";
import { produceWithRetries } from "../../../src/ingest/produce.ts";
import { type KafkaLog, LogError, type ProduceRecord, type ProduceResult } from "../../../src/kafka/port.ts";

const records = ["a", "b", "c"].map((key): ProduceRecord => ({
  topic: "auction.bids",
  partition: 0,
  key,
  value: "{}",
  timestamp: 0,
  headers: [],
}));

const unavailable = new LogError("unavailable", "unknown", "away");
const rejected = new LogError("rejected", "none", "no");
const failed = (error: LogError): ProduceResult => ({ ok: false, error });
const stored = (offset: number): ProduceResult => ({ ok: true, offset, timestamp: 0 });

type Step = LogError | Error | ((keys: string[]) => ProduceResult[]);

/** A log that answers by script, and a clock that only sleeping and answering move. */
function scripted(steps: Step[], answerMs = 1) {
  const calls: string[][] = [];
  let time = 0;
  const log = {
    produce: async (asked: readonly ProduceRecord[]) => {
      const step = steps[Math.min(calls.length, steps.length - 1)];
      calls.push(asked.map(({ key }) => key));
      time += answerMs;
      if (typeof step === "function") return step(asked.map(({ key }) => key));
      throw step ?? new Error("no step");
    },
  } as unknown as KafkaLog;
  const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) };
  const run = (deadline: number) => produceWithRetries({ log, clock, random: () => 0.5 }, records, deadline);
  return { calls, run, now: () => time };
}

describe("produceWithRetries", () => {
  test("asks once where the log takes everything", async () => {
    const { calls, run } = scripted([() => [stored(1), stored(2), stored(3)]]);
    expect(await run(1000)).toEqual([stored(1), stored(2), stored(3)]);
    expect(calls).toEqual([["a", "b", "c"]]);
  });

  test("tries again what may pass until the log takes it, backing off", async () => {
    const { calls, run, now } = scripted([unavailable, unavailable, () => [stored(1), stored(2), stored(3)]]);
    expect(await run(1000)).toEqual([stored(1), stored(2), stored(3)]);
    expect(calls).toHaveLength(3);
    expect(now()).toBe(1 + 20 + 1 + 40 + 1);
  });

  test("sends again only the records that failed, in their order, each result in its place", async () => {
    const { calls, run } = scripted([
      () => [stored(1), failed(unavailable), failed(unavailable)],
      () => [stored(2), stored(3)],
    ]);
    expect(await run(1000)).toEqual([stored(1), stored(2), stored(3)]);
    expect(calls).toEqual([
      ["a", "b", "c"],
      ["b", "c"],
    ]);
  });

  test("does not repeat what the log refuses for good", async () => {
    const whole = scripted([rejected]);
    expect(await whole.run(1000)).toEqual([failed(rejected), failed(rejected), failed(rejected)]);
    expect(whole.calls).toHaveLength(1);
    const part = scripted([() => [stored(1), failed(rejected), stored(2)]]);
    expect(await part.run(1000)).toEqual([stored(1), failed(rejected), stored(2)]);
    expect(part.calls).toHaveLength(1);
  });

  test("never starts an attempt at or past the deadline", async () => {
    for (const deadline of [1, 21, 22, 300, 1500]) {
      const { run, calls, now } = scripted([unavailable]);
      expect(await run(deadline)).toEqual([failed(unavailable), failed(unavailable), failed(unavailable)]);
      expect(now()).toBeLessThan(deadline + 1 + 1);
      expect(calls.length).toBeGreaterThan(0);
    }
  });

  test("does not hide an error that is not the log's", async () => {
    await expect(scripted([new TypeError("a bug")]).run(1000)).rejects.toThrow("a bug");
  });
});
