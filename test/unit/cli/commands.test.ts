import { describe, expect, it } from "vitest";
import { runAgainst, silent, well, wellGateway } from "./gateway-world.ts";

const redrive = "POST /v1/groups/notify/dead-letters/redrive";
const parkedPath = "GET /v1/groups/notify/partitions/0/parked";
const partitionPath = "GET /v1/groups/notify/partitions/0";

describe("lag", () => {
  const left = { ...well, functions: [{ ...well.functions[0], next: 2 }] };
  const answer = { group: "notify", partitions: [left, silent] };
  const listing = { "GET /v1/groups/notify/partitions": [answer] };

  it("tells the other partitions where one does not answer, and the functions that are behind", async () => {
    const { code, out } = await runAgainst(listing, "lag", "notify");
    expect(code).toBe(0);
    expect(out).toMatch(/^notify +0 +t +5 +5 +0/m);
    expect(out).toMatch(/^notify +3 .*stalled$/m);
    expect(out).toContain("\nnotify/3: Partition 3 does not answer\n");
    expect(out).toContain("\nnotify/0: shop is behind the group, with 3 records to read from 2 on\n");
  });

  it("is for programs what the gateway answers", async () => {
    const { out } = await runAgainst(listing, "lag", "notify", "--json");
    expect(JSON.parse(out)).toEqual(answer);
  });
});

describe("redrive", () => {
  const answers = [
    { group: "notify", redriven: 4, left: 2, partitions: [{ partition: 0, redriven: 4, left: 2 }] },
    { group: "notify", redriven: 2, left: 0, partitions: [{ partition: 0, redriven: 2, left: 0 }] },
  ];

  it("is for programs what the gateway answers, all requests of it together", async () => {
    const one = await runAgainst({ [redrive]: [answers[1]] }, "redrive", "notify", "--all", "--json");
    expect(JSON.parse(one.out)).toEqual(answers[1]);
    const { code, out } = await runAgainst({ [redrive]: answers }, "redrive", "notify", "--all", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      ...{ group: "notify", redriven: 6, left: 0 },
      partitions: [{ partition: 0, redriven: 6, left: 0 }],
    });
  });

  it("tells which partition failed, beside what the others took back, and ends with 1", async () => {
    const failed = { partition: 3, code: "partition-unavailable", detail: "Partition 3 does not answer" };
    const answer = { ...answers[1], partitions: [...(answers[1]?.partitions ?? []), failed] };
    const { code, out } = await runAgainst({ [redrive]: [answer] }, "redrive", "notify", "--all");
    expect(out).toBe("2 dead letters redriven. Partition 3 does not answer (partition-unavailable).\n");
    expect(code).toBe(1);
  });
});

describe("parked", () => {
  const entry = {
    ...{ function: "shop", key: "lamp", offset: 3, attempts: 1, error: "503" },
    ...{ firstAttemptAt: null, nextAttemptAt: null },
  };
  const parked = { group: "notify", partition: 0, parked: [entry] };

  it("says why nothing is called while a circuit is open, or the partition paused", async () => {
    const circuit = { openedAt: 0, probeAt: Date.now() + 90_000, reason: "The endpoint answered 503" };
    const view = { ...well, paused: true, functions: [{ ...well.functions[0], circuit }] };
    const { out } = await runAgainst(
      { [parkedPath]: [parked], [partitionPath]: [view] },
      "parked",
      "notify",
      "0",
    );
    expect(out).toContain("The partition is paused: nothing is called until it is resumed.\n");
    expect(out).toMatch(
      /Nothing is called of shop, whose calls fail \(The endpoint answered 503\); it is tried in 1 min\./,
    );
  });

  it("is told where the partition itself does not answer", async () => {
    const { code, out } = await runAgainst({ [parkedPath]: [parked] }, "parked", "notify", "0");
    expect([code, out.split("\n").length]).toEqual([0, 3]);
  });
});

describe("seek", () => {
  it("says that a partition goes on where records were left out, and begins again where none were", async () => {
    const path = "POST /v1/groups/notify/partitions/0/seek";
    const sought = (from: number, to: number) => ({
      [path]: [{ group: "notify", partition: 0, from, to, note: "So it is." }],
    });
    const forward = await runAgainst(sought(3, 5), "seek", "notify", "0", "5", "--skip");
    expect(forward.out).toBe("notify/0 goes on at 5; it was at 3.\nSo it is.\n");
    const back = await runAgainst(sought(5, 3), "seek", "notify", "0", "3");
    expect(back.out).toBe("notify/0 begins again at 3; it was at 5.\nSo it is.\n");
  });
});

describe("the doctor", () => {
  it("finds nothing wrong where nothing is", async () => {
    const { code, out } = await runAgainst(wellGateway, "doctor");
    expect(out).toContain("Nothing is wrong.");
    expect(code).toBe(0);
  });

  it("tells a check that fails among the others, which are made all the same", async () => {
    const answers = { ...wellGateway, "GET /v1/groups/notify/partitions": [503], "GET /readyz": ["no"] };
    const { code, err, out } = await runAgainst(answers, "doctor");
    expect(out).toMatch(/^wrong +notify +Partition 3 does not answer \(503 partition-unavailable\)$/m);
    expect(out).toMatch(/^wrong +ready /m);
    expect(out).toMatch(/^ok +analytics /m);
    expect(out).toMatch(/^ok +subscribers /m);
    expect([code, err]).toEqual([1, ""]);
  });

  it("tells a log that is wrong once, and topics that the edge does not write as well", async () => {
    const stalled = { ...well, stalled: "the log is away", topics: [{ ...well.topics[0], endOffset: null }] };
    const away = {
      ...wellGateway,
      "GET /readyz": [
        { status: "unready", checks: { log: "The log is away", partitions: "Partition 0: x" } },
      ],
      "GET /v1/groups/notify/partitions": [{ group: "notify", partitions: [stalled, silent] }],
    };
    const { out } = await runAgainst(away, "doctor");
    expect(out.match(/^wrong/gm)).toHaveLength(1);
    const topics = "Topic auction.completed has 6 partitions in the log and 8 in the configuration";
    const checks = { log: "ok", topics, partitions: "ok" };
    const other = await runAgainst(
      { ...wellGateway, "GET /readyz": [{ status: "ready", checks }] },
      "doctor",
    );
    expect(other.out).toMatch(/^wrong +log +Topic auction\.completed has 6/m);
  });

  it("tells where the journal begins, and how to see whether it keeps everything", async () => {
    const auction = { ...well, group: "auction" };
    const answers = {
      ...wellGateway,
      "GET /v1/groups": [{ groups: [{ group: "auction", topics: ["t"], functions: [], partitions: 1 }] }],
      "GET /v1/groups/auction/partitions": [{ group: "auction", partitions: [auction] }],
    };
    const { code, out } = await runAgainst(answers, "doctor");
    expect(out).toMatch(/^note +retention +t begins at offset 0;/m);
    expect(out).toContain("kafka-configs.sh");
    expect(code).toBe(0);
  });
});
