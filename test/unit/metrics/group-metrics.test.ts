import { describe, expect, test } from "vitest";
import { exposition } from "../../../src/metrics/exposition.ts";
import { groupMetrics } from "../../../src/metrics/group-metrics.ts";
import type { PartitionView } from "../../../src/groups/view.ts";

const lagging: PartitionView = {
  ...{ group: "notify", partition: 3, paused: false, parked: 7, deadLettered: 2, oldest: 11, outbox: 1 },
  functionLag: 12,
  topics: [
    { topic: "auction.notifications", position: 40, endOffset: 45, startOffset: 0, lag: 5, lagMs: 1_500 },
  ],
  lostOffsets: 0,
  functions: [
    { ...{ name: "one", position: 40, next: 40, parked: 7, inFlight: 2 } },
    {
      ...{ name: "other", position: 40, next: 40, parked: 0, inFlight: 0 },
      circuit: { openedAt: 0, probeAt: 1, reason: "500" },
    },
  ],
  stalled: "the log is away",
};

describe("the figures of a partition", () => {
  const text = exposition(
    groupMetrics([lagging, { group: "notify", partition: 4, stalled: "Partition 4 does not answer" }]),
  );

  test.each([
    'gavel_group_up{group="notify",partition="3"} 1',
    'gavel_group_up{group="notify",partition="4"} 0',
    'gavel_group_lag_records{group="notify",topic="auction.notifications",partition="3"} 5',
    'gavel_group_lag_seconds{group="notify",topic="auction.notifications",partition="3"} 1.5',
    'gavel_group_position{group="notify",topic="auction.notifications",partition="3"} 40',
    'gavel_group_function_lag_records{group="notify",partition="3"} 12',
    'gavel_group_oldest_offset{group="notify",partition="3"} 11',
    'gavel_group_parked_records{group="notify",partition="3"} 7',
    'gavel_group_calls_in_flight{group="notify",partition="3"} 2',
    'gavel_group_circuits_open{group="notify",partition="3"} 1',
    'gavel_group_outbox_records{group="notify",partition="3"} 1',
    'gavel_group_paused{group="notify",partition="3"} 0',
    'gavel_group_stalled{group="notify",partition="3"} 1',
    'gavel_group_dead_lettered_total{group="notify",partition="3"} 2',
    'gavel_group_lost_offsets_total{group="notify",partition="3"} 0',
  ])("say %s", (line) => {
    expect(text.split("\n")).toContain(line);
  });

  test("of one whose object does not answer are left out, but for that", () => {
    expect(text.split("\n").filter((line) => line.includes('partition="4"'))).toHaveLength(1);
  });

  test("that the log does not tell have no sample", () => {
    const [read] = lagging.topics;
    if (read === undefined) throw new TypeError("it reads a topic");
    const topics = [{ ...read, endOffset: null, lag: null, lagMs: null }];
    const blind = exposition(groupMetrics([{ ...lagging, topics, functionLag: null, oldest: null }]));
    for (const name of ["lag_records", "lag_seconds", "function_lag_records", "oldest_offset"])
      expect(blind).not.toContain(`gavel_group_${name}{`);
    expect(blind).toContain(
      'gavel_group_position{group="notify",topic="auction.notifications",partition="3"} 40',
    );
  });
});

test("a label's value with a quote, a backslash or a new line is escaped", () => {
  const samples = [[{ topic: 'a"b\\c\nd' }, 1]] as const;
  expect(exposition([{ name: "gavel_x", help: "a\\b\nc", type: "gauge", samples }])).toBe(
    '# HELP gavel_x a\\\\b\\nc\n# TYPE gavel_x gauge\ngavel_x{topic="a\\"b\\\\c\\nd"} 1\n',
  );
});
