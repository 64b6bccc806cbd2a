import { describe, expect, test } from "vitest";
import { createPinnedTopics, problemFromLog } from "../../../src/kafka/pinned-topics.ts";
import { type KafkaLog, LogError, type LogErrorCode } from "../../../src/kafka/port.ts";

type Answer = Record<string, number> | LogError;

function scripted(answer: Answer) {
  const state = { answer, time: 0, asked: 0 };
  const log = {
    topics: async () => {
      state.asked += 1;
      if (state.answer instanceof LogError) throw state.answer;
      return state.answer;
    },
  } as unknown as KafkaLog;
  const clock = { now: () => state.time, sleep: async () => {} };
  return { state, pinned: createPinnedTopics(log, clock, ["items", "bids"], 8) };
}

const good = { items: 8, bids: 8, other: 3 };
const away = new LogError("unavailable", "none", "away");

describe("the pinned partition count", () => {
  test("is asked for once a minute while it is right", async () => {
    const { state, pinned } = scripted(good);
    for (state.time of [0, 1, 59_999, 60_000, 60_001]) await pinned.verify(state.time + 100);
    expect(state.asked).toBe(2);
  });

  test("that differs is refused in plain words, and mended at once", async () => {
    const { state, pinned } = scripted({ items: 8, bids: 4 });
    const refusal = {
      code: "partition-count-mismatch",
      detail: expect.stringContaining("bids has 4 partitions") as string,
    };
    await expect(pinned.verify(100)).rejects.toMatchObject(refusal);
    await expect(pinned.verify(100)).rejects.toMatchObject(refusal);
    state.answer = good;
    await pinned.verify(100);
    expect(state.asked).toBe(3);
  });

  test("that came to differ is noticed within a minute, also by those that come later", async () => {
    const { state, pinned } = scripted(good);
    await pinned.verify(100);
    state.answer = { items: 8, bids: 16 };
    state.time = 60_000;
    await expect(pinned.verify(60_100)).rejects.toMatchObject({ code: "partition-count-mismatch" });
    await expect(pinned.verify(60_100)).rejects.toMatchObject({ code: "partition-count-mismatch" });
  });

  test("of a topic that is missing is no count, also where objects have a name of their own", async () => {
    await expect(scripted({ items: 8 }).pinned.verify(100)).rejects.toMatchObject({ code: "topic-missing" });
  });

  test("that cannot be asked for refuses at first, and later leaves it to the produce", async () => {
    const { state, pinned } = scripted(away);
    await expect(pinned.verify(100)).rejects.toMatchObject({ code: "log-unavailable" });
    state.answer = good;
    await pinned.verify(100);
    state.answer = away;
    state.time = 60_000;
    await pinned.verify(60_100);
    expect(state.asked).toBe(3);
  });
});

test("every failure of the log has a problem, retryable unless the record itself is at fault", () => {
  const codes: LogErrorCode[] = [
    "unavailable",
    "timeout",
    "rejected",
    "unauthorized",
    "unknown-topic",
    "too-large",
  ];
  const statuses = codes.map((code) => problemFromLog(new LogError(code, "none", "secret words")).status);
  expect(statuses).toEqual([503, 503, 503, 503, 503, 413]);
  for (const code of codes) {
    expect(problemFromLog(new LogError(code, "none", "secret words")).detail).not.toContain("secret");
  }
});
