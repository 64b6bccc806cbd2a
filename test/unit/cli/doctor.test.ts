import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { PartitionAnswer } from "../../../cli/answers.ts";
import { checkPartition } from "../../../cli/doctor/groups.ts";
import { checkClock } from "../../../cli/doctor/reach.ts";
import { report } from "../../../cli/doctor/report.ts";
import { runCommandLine } from "../../../cli/run.ts";
import { uuidv7 } from "../../../src/lib/uuid.ts";

const well: PartitionAnswer = {
  ...{ group: "notify", partition: 3, paused: false, parked: 0, deadLettered: 0, oldest: null },
  ...{ outbox: 0, lostOffsets: 0, functions: [] },
  topics: [{ topic: "t", position: 5, endOffset: 5, startOffset: 0, lag: 0, lagMs: 0 }],
};

const behind = (lag: number | null, lagMs: number | null): PartitionAnswer["topics"] => [
  { topic: "t", position: 5, endOffset: lag === null ? null : 5 + lag, startOffset: 0, lag, lagMs },
];

const levels = (more: Partial<PartitionAnswer>): string[] =>
  checkPartition({ ...well, ...more }, true).map(({ level }) => level);

describe("a partition", () => {
  it("that is well has nothing to tell", () => {
    expect(levels({})).toEqual([]);
  });

  it("is wrong where it lags for long, does not move, or nobody can say where it should be", () => {
    expect(levels({ topics: behind(4, 200) })).toEqual(["note"]);
    expect(levels({ topics: behind(4, 600_000) })).toEqual(["wrong"]);
    expect(levels({ topics: behind(4, null) })).toEqual(["wrong"]);
    expect(levels({ topics: behind(null, null) })).toEqual(["wrong"]);
    expect(levels({ stalled: "the log is away" })).toEqual(["wrong"]);
    const circuit = { reason: "503", probeAt: 0 };
    expect(levels({ functions: [{ name: "f", position: 0, next: 5, parked: 0, circuit }] })).toEqual([
      "wrong",
    ]);
  });

  it("that is paused is known to lag", () => {
    expect(levels({ paused: true, topics: behind(4, 600_000) })).toEqual(["note"]);
  });

  it("that does not answer is wrong, and a function that was left behind is worth knowing", () => {
    const silent = { group: "notify", partition: 3, stalled: "Partition 3 does not answer" };
    expect(checkPartition(silent, true)).toMatchObject([{ level: "wrong", found: silent.stalled }]);
    const functions = [{ name: "f", position: 2, next: 2, parked: 0 }];
    const found = "f is behind the group, with 3 records to read from 2 on";
    expect(checkPartition({ ...well, functions }, true)).toMatchObject([{ level: "note", found }]);
  });

  it("is not told to be held up by a log that is wrong, which is told once", () => {
    const held = { ...well, stalled: "the log is away", topics: behind(null, null) };
    expect(checkPartition(held, false)).toEqual([]);
    expect(checkPartition({ group: "notify", partition: 3, stalled: "x" }, false)).toEqual([]);
    expect(checkPartition({ ...held, parked: 1 }, false)).toMatchObject([
      { level: "note", found: "1 record waits for a retry" },
    ]);
  });

  it("that keeps state is wrong where its journal's start is gone, which another's may be", () => {
    const topics = [{ ...well.topics[0], startOffset: 7 }] as PartitionAnswer["topics"];
    expect(levels({ topics })).toEqual([]);
    expect(levels({ group: "auction", topics })).toEqual(["wrong"]);
  });

  it("has something to be done said for all that is wrong", () => {
    const ill = { ...well, stalled: "x", topics: behind(null, null), parked: 2, lostOffsets: 1 };
    const functions = [{ name: "f", position: 0, next: 2, parked: 0 }];
    const found = checkPartition({ ...ill, functions }, true);
    for (const { advice } of found) expect(advice).toBeTruthy();
  });
});

describe("clocks", () => {
  const at = Date.UTC(2026, 10, 25, 12);
  const id = uuidv7(at);

  it("agree within the time that it took to ask", () => {
    expect(checkClock(id, at - 100, at + 100)).toMatchObject({
      level: "ok",
      found: expect.stringContaining("within 200 ms") as string,
    });
    expect(checkClock(id, at + 900, at + 1_100)).toMatchObject({
      level: "ok",
      found: expect.stringContaining("900 ms apart") as string,
    });
  });

  it("that are more than 5 s apart are wrong, either way", () => {
    expect(checkClock(id, at + 8_000, at + 8_100)).toMatchObject({
      level: "wrong",
      found: expect.stringContaining("8 s ahead") as string,
    });
    expect(checkClock(id, at - 9_100, at - 9_000)).toMatchObject({
      level: "wrong",
      found: expect.stringContaining("9 s behind") as string,
    });
  });

  it("cannot be compared without an id of Gavel's", () => {
    expect(checkClock(null, at, at).level).toBe("note");
    expect(checkClock("1b4e28ba-2fa1-11d2-883f-0016d3cca427", at, at).level).toBe("note");
  });
});

it("a report fits into 80 columns and says what to do under each finding", () => {
  const text = report(
    [
      { level: "ok", about: "log", found: "It answers" },
      {
        level: "wrong",
        about: "notify/3",
        found: "word ".repeat(40).trim(),
        advice: "do ".repeat(40).trim(),
      },
    ],
    80,
  );
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toContain("→ do");
  expect(text).toContain("1 thing is wrong.");
});

describe("against what is no Gavel", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function examined(status: number, body: string, headers: Record<string, string> = {}) {
    const seen: string[] = [];
    server = createServer((request, response) => {
      seen.push(request.headers.authorization ?? "");
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { ...(await run(url, "doctor")), lag: await run(url, "lag"), seen };
  }

  async function run(url: string, command: string) {
    let [out, err] = ["", ""];
    const code = await runCommandLine([command, "--url", url, "--key", "gvl_x_hunter2"], {
      ...{ environment: {}, width: 80, now: () => Date.now() },
      out: (text) => void (out += text),
      err: (text) => void (err += text),
    });
    return { code, out, err };
  }

  it.each([
    [200, "<html>", {}],
    [200, "{}", {}],
    [302, "", { location: "https://elsewhere.example/" }],
    [500, "oops", {}],
    [404, '{"code":"gvl_x_hunter2"}', {}],
  ])("it says so, without a stack and without the key: %s %s", async (status, body, headers) => {
    const { code, err, lag, out } = await examined(status, body, headers);
    expect([code, lag.code]).toEqual([1, 1]);
    // It reports what it finds, whatever that is.
    expect(out).toMatch(/^wrong +gateway/);
    expect(err).toBe("");
    expect(lag.err).toMatch(/^gavel: [^\n]+\n$/);
    for (const text of [out, err, lag.out, lag.err]) {
      expect(text).not.toContain("hunter2");
      expect(text).not.toContain("    at ");
    }
  });

  it("nobody there is told with its address and the reason", async () => {
    const { code, err } = await run("http://127.0.0.1:9", "lag");
    expect(code).toBe(1);
    expect(err).toMatch(/^gavel: http:\/\/127\.0\.0\.1:9 does not answer \(.+\)\n$/);
    expect(await run("http://127.0.0.1:9", "doctor")).toMatchObject({ code: 1, err: "" });
  });
});
