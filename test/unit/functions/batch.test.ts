import { describe, expect, test } from "vitest";
import { answerBatch, batchOf, type FunctionBatch, resultOf } from "../../../src/functions/batch.ts";
import { calledWithBatches } from "../../../src/functions/binding.ts";
import type {
  FunctionRecord,
  Invocation,
  InvocationResult,
  Invoke,
} from "../../../src/functions/function.ts";

function record(offset: number, more: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    id: `auction.completed/3/${offset}/prices`,
    topic: "auction.completed",
    partition: 3,
    offset,
    timestamp: 1_700_000_000_000 + offset,
    key: `item-${offset}`,
    value: `{"price":${offset}}`,
    headers: [
      { key: "ce_type", value: "gavel.item.completed.v1" },
      { key: "ce_source", value: `a\nb/${offset}` },
    ],
    traceparent:
      offset === 9 ? undefined : `00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033${offset + 10}-01`,
    tracestate: offset === 7 ? "a=1" : undefined,
    attempt: offset % 3 === 0 ? 2 : 1,
    ...more,
  };
}

function invocation(records: readonly FunctionRecord[], patience = 10_000): Invocation {
  const deadline = Date.now() + patience;
  return {
    group: "enrich",
    function: "prices",
    records,
    deadline,
    signal: AbortSignal.timeout(60_000),
  };
}

/** To the other side and back as the runtime carries it: by structured clone. test/worker has the real one. */
function across(target: Invoke): Invoke {
  return calledWithBatches(async (batch) =>
    structuredClone(await answerBatch(structuredClone(batch), target)),
  );
}

const records = [record(7), record(9), record(12)];

describe("a batch", () => {
  test("carries everything of an invocation but its signal", async () => {
    let seen: Invocation | undefined;
    const sent = invocation(records);
    await across((got) => {
      seen = got;
      return Promise.resolve({ outcomes: [] });
    })(sent);
    const { signal: _, ...whole } = sent;
    expect({ ...seen, records: seen?.records.map((one) => ({ ...one })) }).toMatchObject(whole);
    expect(seen?.records.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
  });

  test("aborts the function's signal at the deadline", async () => {
    const aborted: Invoke = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve({ outcomes: [], failure: { reason: "too late" } }));
      });
    expect(await across(aborted)(invocation(records, 20))).toEqual({
      outcomes: [],
      failure: { reason: "too late" },
    });
  });

  test("without a record is refused", () => {
    expect(() => batchOf(invocation([]))).toThrow(TypeError);
  });

  test.each<[string, InvocationResult]>([
    ["all done", { outcomes: [{ status: "done" }, { status: "done" }, { status: "done" }] }],
    ["some unanswered", { outcomes: [{ status: "done" }, undefined] }],
    [
      "outcomes of each kind",
      {
        outcomes: [
          { status: "retry", reason: "later", delayMs: 5 },
          { status: "reject", reason: "never" },
          {
            status: "done",
            outputs: [{ topic: "validated", type: "gavel.item.validated.v1", data: { price: 1 } }],
          },
        ],
      },
    ],
    ["a failure", { outcomes: [], failure: { reason: "away", delayMs: 9 } }],
    ["no more calls", { outcomes: [], isGone: true }],
  ])("brings back the result: %s", async (_, result) => {
    expect(await across(() => Promise.resolve(result))(invocation(records))).toEqual(result);
  });

  test("rejects where the function does", async () => {
    const rejecting: Invoke = () => Promise.reject(new Error("broken"));
    await expect(across(rejecting)(invocation(records))).rejects.toThrow("broken");
  });

  test("costs one word to answer where all is done", async () => {
    const batch: FunctionBatch = batchOf(invocation(records));
    const done = { status: "done" } as const;
    expect(await answerBatch(batch, () => Promise.resolve({ outcomes: [done, done, done] }))).toBe("done");
    expect(await answerBatch(batch, () => Promise.resolve({ outcomes: [done, done] }))).not.toBe("done");
  });
});

describe("an answer that no compiler has seen", () => {
  const failure = { outcomes: [], failure: { reason: "the function's answer is not a result" } };

  test.each([undefined, null, "all done", 3, [], {}, { outcomes: "done" }])(
    "is the call's failure where it is no result: %j",
    (told) => {
      expect(resultOf(told, 2)).toEqual(failure);
    },
  );

  test("is the call's failure where it has more outcomes than there were records", () => {
    const done = { status: "done" };
    expect(resultOf({ outcomes: [done, done, done] }, 2)).toEqual(failure);
  });

  test("has a record tried again whose outcome is none, and counts the others", () => {
    const told = {
      outcomes: [
        { status: "done" },
        { status: "finished" },
        { status: "reject" },
        { status: "retry", reason: "r", delayMs: -1 },
      ],
    };
    const again = { status: "retry", reason: "the function's answer for it is not an outcome" };
    expect(resultOf(told, 4).outcomes).toEqual([{ status: "done" }, again, again, again]);
  });

  test("is taken without what does not belong to it, and with reasons that fit a dead letter", () => {
    const told = {
      outcomes: [{ status: "reject", reason: "x".repeat(10_000), secret: "s" }],
      more: "than asked",
    };
    expect(resultOf(told, 1)).toEqual({ outcomes: [{ status: "reject", reason: "x".repeat(500) }] });
  });
});
