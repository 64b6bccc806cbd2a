import { describe, expect, it } from "vitest";
import { count, distance, duration } from "../../../cli/format.ts";
import { table } from "../../../cli/table.ts";

const columns = [
  { title: "KEY", isCut: "late" },
  { title: "OFFSET", isNumber: true },
  { title: "ERROR", isCut: "late" },
] as const;

describe("a table", () => {
  it("stands under its titles, words to the left and numbers to the right, without spaces at line ends", () => {
    expect(
      table(
        columns,
        [
          ["chair-1", "7", "it failed"],
          ["x", "12345678", ""],
        ],
        80,
      ),
    ).toBe(["KEY        OFFSET  ERROR", "chair-1         7  it failed", "x        12345678", ""].join("\n"));
  });

  it("is cut in the columns that may be, the longest first, until it fits", () => {
    const text = table(columns, [["k".repeat(40), "7", "e".repeat(200)]], 80);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toContain("…");
    expect(text).toContain("7");
  });

  it("cuts no column to nothing, however narrow the terminal is", () => {
    const [, line] = table(columns, [["k".repeat(40), "7", "e".repeat(200)]], 5).split("\n");
    expect(line).toBe(`${"k".repeat(7)}…       7  ${"e".repeat(7)}…`);
  });

  it("hands nothing to the terminal that could steer it", () => {
    const text = table(columns, [["a\u001b[31mb", "1", "c\r\nd\u0007\u202ee\u009b"]], 80);
    // Only its own line ends are left.
    expect(/[^\n\P{C}]/u.test(text)).toBe(false);
    expect(text).toContain("a\ufffd[31mb");
    expect(text.split("\n")).toHaveLength(3);
  });

  it("counts characters as they are seen", () => {
    const [, one, other] = table(
      columns,
      [
        ["Stühle", "1", "x"],
        ["👩‍👩‍👧‍👦", "1", "x"],
      ],
      80,
    ).split("\n");
    expect(one?.indexOf("1")).toBe(14);
    expect(other?.startsWith("👩")).toBe(true);
  });
});

describe("figures", () => {
  it("are told in the largest unit that they fill", () => {
    expect([0, 999, 1_000, 59_999, 60_000, 3_600_000, 90_000_000].map(duration)).toEqual([
      "0 ms",
      "999 ms",
      "1 s",
      "59 s",
      "1 min",
      "1 h",
      "1 d",
    ]);
    expect(duration(-5)).toBe("0 ms");
  });

  it("say how far away a time is, and what is not known", () => {
    const now = Date.parse("2026-11-25T12:00:00.000Z");
    expect(distance("2026-11-25T12:04:00.000Z", now)).toBe("in 4 min");
    expect(distance("2026-11-25T11:59:57.000Z", now)).toBe("3 s ago");
    expect(distance(null, now)).toBe("");
    expect([count(null), count(0)]).toEqual(["?", "0"]);
  });
});
