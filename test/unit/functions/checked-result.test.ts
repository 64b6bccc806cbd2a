import { describe, expect, test } from "vitest";
import { checkedResult } from "../../../durable-objects/functions/checked-result.ts";

const circular: Record<string, unknown> = {};
circular["itself"] = circular;
const output = (data: unknown) => ({ status: "done", outputs: [{ topic: "validated", type: "made", data }] });

describe("what a function answers for a record", () => {
  test.each([
    ["a status that is none", { status: "ok" }],
    ["a retry without a reason", { status: "retry" }],
    ["a rejection without a reason", { status: "reject" }],
    ["a text", "done"],
    ["an output that is no JSON", output(circular)],
    ["an output with a number that JSON has not", output({ large: 10n })],
    [
      "an output for another topic",
      { status: "done", outputs: [{ topic: "journal", type: "made", data: {} }] },
    ],
  ])("means another attempt where it is %s", (_, told) => {
    expect(checkedResult({ outcomes: [told] }, 1).outcomes).toEqual([
      { status: "retry", reason: expect.any(String) as string },
    ]);
  });

  test("ends the record where its output is larger than a record may be", () => {
    const [outcome] = checkedResult({ outcomes: [output({ text: "ü".repeat(460_000) })] }, 1).outcomes;
    expect(outcome).toMatchObject({
      status: "reject",
      reason: expect.stringContaining("920011 bytes") as string,
    });
    const [fits] = checkedResult({ outcomes: [output({ text: "ü".repeat(440_000) })] }, 1).outcomes;
    expect(fits).toMatchObject({ status: "done" });
  });

  test("has a reason of 500 characters, and a delay of a day, at most", () => {
    const told = { status: "retry", reason: "x".repeat(2_000_000), delayMs: 1e15 };
    expect(checkedResult({ outcomes: [told] }, 1).outcomes).toEqual([
      { status: "retry", reason: "x".repeat(500), delayMs: 86_400_000 },
    ]);
  });
});

describe("what a function answers for a call", () => {
  test.each([
    [undefined],
    [null],
    ["yes"],
    [{}],
    [{ outcomes: "all" }],
    [{ outcomes: [{ status: "done" }, { status: "done" }] }],
  ])("is its failure where it is no result: %j", (told) => {
    expect(checkedResult(told, 1)).toMatchObject({ outcomes: [], failure: {} });
  });

  test("is taken as it is where all is done", () => {
    const told = { outcomes: [{ status: "done" }, { status: "done" }] };
    expect(checkedResult(told, 2)).toBe(told);
  });
});
