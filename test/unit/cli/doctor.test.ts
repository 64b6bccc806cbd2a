import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { PartitionAnswer } from "../../../cli/answers.ts";
import { checkPartition } from "../../../cli/doctor/groups.ts";
import { checkClock } from "../../../cli/doctor/reach.ts";
import { report } from "../../../cli/doctor/report.ts";
import { runCommandLine } from "../../../cli/run.ts";

const well: PartitionAnswer = {
  ...{ group: "notify", partition: 3, paused: false, parked: 0, deadLettered: 0, oldest: null },
  ...{ outbox: 0, lostOffsets: 0, functions: [] },
  topics: [{ topic: "t", position: 5, endOffset: 5, startOffset: 0, lag: 0, lagMs: 0 }],
};

const behind = (lag: number | null, lagMs: number | null): PartitionAnswer["topics"] => [
  { topic: "t", position: 5, endOffset: lag === null ? null : 5 + lag, startOffset: 0, lag, lagMs },
];

const levels = (more: Partial<PartitionAnswer>): string[] =>
  checkPartition({ ...well, ...more }).map(({ level }) => level);

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
    expect(levels({ functions: [{ name: "f", position: 0, parked: 0, circuit }] })).toEqual(["wrong"]);
  });

  it("that is paused is known to lag", () => {
    expect(levels({ paused: true, topics: behind(4, 600_000) })).toEqual(["note"]);
  });

  it("that keeps state is wrong where its journal's start is gone, which another's may be", () => {
    const topics = [{ ...well.topics[0], startOffset: 7 }] as PartitionAnswer["topics"];
    expect(levels({ topics })).toEqual([]);
    expect(levels({ group: "auction", topics })).toEqual(["wrong"]);
  });

  it("has something to be done said for all that is wrong", () => {
    const found = checkPartition({
      ...well,
      stalled: "x",
      topics: behind(null, null),
      parked: 2,
      lostOffsets: 1,
    });
    for (const { advice } of found) expect(advice).toBeTruthy();
  });
});

describe("clocks", () => {
  const date = "Wed, 25 Nov 2026 12:00:00 GMT";
  const at = Date.parse(date);

  it("agree within what a date can tell", () => {
    expect(checkClock(date, at + 100, at + 300).level).toBe("ok");
    expect(checkClock(date, at + 900, at + 1_100).level).toBe("ok");
    expect(checkClock(date, at - 20_000, at + 20_000).level).toBe("ok");
  });

  it("that are more than 5 s apart are wrong, either way", () => {
    expect(checkClock(date, at + 9_000, at + 9_100)).toMatchObject({
      level: "wrong",
      found: expect.stringContaining("8 s ahead") as string,
    });
    expect(checkClock(date, at - 9_100, at - 9_000)).toMatchObject({
      level: "wrong",
      found: expect.stringContaining("9 s behind") as string,
    });
  });

  it("cannot be compared without a date", () => {
    expect(checkClock(null, at, at).level).toBe("note");
    expect(checkClock("yesterday", at, at).level).toBe("note");
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
