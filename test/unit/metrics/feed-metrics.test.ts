import { expect, test } from "vitest";
import { exposition } from "../../../src/metrics/exposition.ts";
import { feedMetrics } from "../../../src/metrics/feed-metrics.ts";

test("each feed has its figures; one that does not answer has no others than that", () => {
  const samples = exposition(feedMetrics([{ connections: 12, items: 3 }, null]))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(samples).toEqual([
    'gavel_feed_up{feed="0"} 1',
    'gavel_feed_up{feed="1"} 0',
    'gavel_feed_connections{feed="0"} 12',
    'gavel_feed_items{feed="0"} 3',
  ]);
});
