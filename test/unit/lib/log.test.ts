import { afterEach, expect, test, vi } from "vitest";
import { createConsoleLogger, describeError } from "../../../src/lib/log.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a line is one JSON object, and only those of the least level and above are written", () => {
  const lines: unknown[] = [];
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation(
      (line: string) => void lines.push([method, JSON.parse(line)]),
    );
  }
  const logger = createConsoleLogger("warn");
  logger("info", "request", { status: 202 });
  logger("warn", "push-failed", { failures: 1 });
  logger("error", "internal-error");
  expect(lines).toEqual([
    ["warn", { level: "warn", event: "push-failed", failures: 1 }],
    ["error", { level: "error", event: "internal-error" }],
  ]);
});

test.each([
  ["connect ECONNREFUSED 203.0.113.7:443", "Error: connect ECONNREFUSED <address>:443"],
  ["no route to 2001:db8::1", "Error: no route to <address>"],
  ["from ::ffff:198.51.100.1", "Error: from <address>"],
])("an error's message %j holds no address in the log", (message, expected) => {
  expect(describeError(new Error(message))).toBe(expected);
});

test("an error's message is cut to a line's length, and what is no error is told as well", () => {
  expect(describeError(new Error("x".repeat(5_000)))).toHaveLength(500);
  expect(describeError("gone")).toBe("gone");
});
