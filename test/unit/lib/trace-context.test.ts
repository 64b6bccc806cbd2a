import { describe, expect, test } from "vitest";
import {
  childTraceparent,
  derivedTrace,
  newTrace,
  parseTraceContext,
} from "../../../src/lib/trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const valid = `00-${traceId}-${parentId}-01`;

describe("a valid context is continued", () => {
  test("with the same trace, a new span and version 00", () => {
    const context = parseTraceContext(valid, "congo=t61rcWkgMzE");
    expect(context).toEqual({ traceId, flags: "01", tracestate: "congo=t61rcWkgMzE" });
    const child = childTraceparent(context ?? newTrace());
    expect(child).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(child).not.toContain(parentId);
  });

  test.each([
    ["not sampled", `00-${traceId}-${parentId}-00`, "00"],
    ["flags that version 00 does not know", `00-${traceId}-${parentId}-ff`, "01"],
    ["a later version", `01-${traceId}-${parentId}-01`, "01"],
    ["a later version with more fields", `cc-${traceId}-${parentId}-01-what-comes`, "01"],
  ])("%s", (_, traceparent, flags) => {
    expect(parseTraceContext(traceparent, undefined)).toEqual({ traceId, flags });
  });

  test("without a tracestate that is not valid", () => {
    for (const tracestate of [
      "",
      "no-value",
      "UPPER=1",
      "a=1,a=2",
      "a=,",
      `a=${"x".repeat(257)}`,
      "a=b\u0007",
      5,
    ]) {
      expect(parseTraceContext(valid, tracestate)).toEqual({ traceId, flags: "01" });
    }
    const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`).join(",");
    expect(parseTraceContext(valid, members(32))?.tracestate).toBe(members(32));
    expect(parseTraceContext(valid, members(33))?.tracestate).toBeUndefined();
  });

  test("with the blanks and empty members of a tracestate dropped", () => {
    expect(parseTraceContext(valid, " a=1 ,, t@vendor=2\t")?.tracestate).toBe("a=1,t@vendor=2");
  });
});

test("a long tracestate is cut at a member's end: each event of a batch carries it", () => {
  const long = Array.from({ length: 32 }, (_, index) => `k${index}=${"v".repeat(200)}`);
  expect(parseTraceContext(valid, long.join(","))?.tracestate).toBe(long.slice(0, 2).join(","));
  const exact = `a=${"v".repeat(253)},b=${"v".repeat(254)}`;
  expect(exact).toHaveLength(512);
  expect(parseTraceContext(valid, exact)?.tracestate).toBe(exact);
  expect(parseTraceContext(valid, `${exact},c=1`)?.tracestate).toBe(exact);
  const oneTooLong = `${"k".repeat(256)}=${"v".repeat(256)}`;
  expect(parseTraceContext(valid, oneTooLong)).toEqual({ traceId, flags: "01" });
});

test.each([
  ["absent", undefined],
  ["no text", 7],
  ["empty", ""],
  ["version ff", `ff-${traceId}-${parentId}-01`],
  ["version 00 with more fields", `${valid}-more`],
  ["a trace id of zeros", `00-${"0".repeat(32)}-${parentId}-01`],
  ["a parent id of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
  ["upper case", valid.toUpperCase()],
  ["too short", `00-${traceId}-${parentId.slice(1)}-01`],
])("a traceparent that is %s starts a new trace", (_, traceparent) => {
  expect(parseTraceContext(traceparent, "a=1")).toBeNull();
});

test("a new trace has an id of its own and is sampled", () => {
  const [first, second] = [newTrace(), newTrace()];
  expect(first.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(first.flags).toBe("01");
  expect(second.traceId).not.toBe(first.traceId);
});

describe("a trace that is continued by what an event is", () => {
  test("has the same span each time, and another one for another event", () => {
    const made = derivedTrace(valid, "a=1", "auction.bids/3/17");
    expect(made.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(made.traceparent).not.toContain(parentId);
    expect(made.tracestate).toBe("a=1");
    expect(derivedTrace(valid, "a=1", "auction.bids/3/17")).toEqual(made);
    expect(derivedTrace(valid, "a=1", "auction.bids/3/18").traceparent).not.toBe(made.traceparent);
  });

  test("starts anew where it is none, and is valid then", () => {
    const { traceparent, tracestate } = derivedTrace(`00-${traceId}-oops-01`, "a=1", "auction.bids/3/17");
    expect(parseTraceContext(traceparent, undefined)).not.toBeNull();
    expect(traceparent).not.toContain(traceId);
    expect(tracestate).toBeUndefined();
  });
});
