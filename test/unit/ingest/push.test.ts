import { describe, expect, test } from "vitest";
import type { FunctionGroupRpc } from "../../../durable-objects/functions/rpc.ts";
import type { AuctionObjectRpc, PushBatch } from "../../../durable-objects/rpc.ts";
import {
  type PublishedRecord,
  type PushTargets,
  pushAndWait,
  pushRecords,
  pushToFunctions,
} from "../../../src/ingest/push.ts";
import type { WrittenTopic } from "../../../src/ingest/records.ts";
import type { GroupObjects } from "../../../src/partitions.ts";
import type { TopicRole } from "../../../src/topics.ts";

/** Plain objects in the place of a group's Durable Objects: what is pushed to which is all that is asked. */
class Group<Rpc> {
  readonly pushed: [partition: number, topic: TopicRole, offsets: readonly number[]][] = [];
  isAway = false;
  readonly objects: GroupObjects<Rpc>;

  constructor() {
    const call = <Answer>(partition: number, operation: (object: Rpc) => Promise<Answer>) => {
      if (this.isAway) return Promise.reject(new Error("away"));
      const push = ({ topic, offsets }: PushBatch<TopicRole>) => {
        this.pushed.push([partition, topic, offsets]);
        return Promise.resolve({ position: 0 });
      };
      return operation({ push } as Rpc);
    };
    this.objects = { count: 4, call, change: call, callAll: () => Promise.resolve([]) };
  }
}

class World implements PushTargets {
  readonly auction = new Group<AuctionObjectRpc>();
  readonly fraud = new Group<FunctionGroupRpc>();
  readonly partitions = this.auction.objects;
  readonly readersOf = (topic: WrittenTopic) => (topic === "journal" ? [this.fraud.objects] : []);
}

function published(topic: WrittenTopic, partition: number, offset: number): PublishedRecord {
  const record = { topic, partition, key: "lamp-1", value: "{}", timestamp: 1, headers: [] };
  return { record, topic, offset, timestamp: 1 } as unknown as PublishedRecord;
}

describe("what the edge has published", () => {
  test("is handed to every group that reads the topic, a call for each partition", async () => {
    const world = new World();
    const records = [
      published("journal", 1, 7),
      published("items", 1, 3),
      published("journal", 1, 8),
      published("journal", 2, 4),
    ];
    expect(await pushRecords(world, records)).toBe(0);
    expect(world.auction.pushed).toEqual([
      [1, "journal", [7, 8]],
      [1, "items", [3]],
      [2, "journal", [4]],
    ]);
    expect(world.fraud.pushed).toEqual([
      [1, "journal", [7, 8]],
      [2, "journal", [4]],
    ]);
  });

  test("reaches the others where one group does not answer, and the failures are counted", async () => {
    const world = new World();
    world.fraud.isAway = true;
    expect(await pushRecords(world, [published("journal", 0, 0), published("items", 0, 0)])).toBe(1);
    expect(world.auction.pushed).toHaveLength(2);
  });

  test("whoever waits for an outcome waits for the auction alone", async () => {
    const world = new World();
    world.fraud.isAway = true;
    expect(await pushAndWait(world, published("journal", 0, 5), 100)).toEqual({ position: 0 });
    expect(await pushToFunctions(world, [published("journal", 0, 5)])).toBe(1);
    world.fraud.isAway = false;
    expect(await pushToFunctions(world, [published("journal", 0, 5)])).toBe(0);
    expect(world.fraud.pushed).toEqual([[0, "journal", [5]]]);
  });
});
