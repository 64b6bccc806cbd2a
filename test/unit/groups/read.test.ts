import { describe, expect, test } from "vitest";
import type { FunctionGroupStatus, FunctionStatus } from "../../../durable-objects/functions/rpc.ts";
import { type GroupsAccess, viewsOf } from "../../../src/groups/read.ts";
import { isSilent, type PartitionView } from "../../../src/groups/view.ts";
import { LogError, type LogRecord, type TopicPartitionOffset } from "../../../src/kafka/port.ts";
import { Problem } from "../../../src/lib/problem.ts";

const topic = "auction.notifications";
const hour = 3_600_000;

/** What the listing and the figures ask: objects of `notify`, and a log with one record for each offset. */
class World {
  now = 10 * hour;
  /** By partition; a function that throws or never resolves stands for an object that does. */
  readonly objects = new Map<number, () => Promise<FunctionGroupStatus>>();
  end = 10;
  timeOf = (_offset: number): number => this.now - 5_000;
  readonly fetched: TopicPartitionOffset[] = [];
  fetchFails = false;
  isUp = true;

  status(partition: number, position: number, functions: readonly FunctionStatus[] = []): void {
    this.objects.set(partition, () =>
      Promise.resolve({
        ...{ group: "notify", partition, topic, position, endOffset: null, readTime: 0, isPaused: false },
        ...{ outbox: 0, deadLettered: 0, lostOffsets: 0, functions },
      }),
    );
  }

  private get services(): GroupsAccess {
    const call = (partition: number) => this.objects.get(partition)?.();
    const record = (from: TopicPartitionOffset): LogRecord => ({
      ...{ ...from, timestamp: this.timeOf(from.offset), key: "", value: "", headers: [] },
    });
    return {
      config: { topicPrefix: "" },
      // A bound has passed as soon as everything else has come to rest.
      clock: { now: () => this.now, sleep: () => new Promise((resolve) => setTimeout(resolve, 20)) },
      logger: () => undefined,
      functionPartitions: { notify: { call }, bidders: { call } },
      log: {
        offsets: (at: string, wanted: readonly { topic: string; partition: number }[]) =>
          this.isUp
            ? Promise.resolve(wanted.map((one) => ({ ...one, offset: at === "latest" ? this.end : 0 })))
            : Promise.reject(new LogError("unavailable", "none", "away")),
        fetch: (from: TopicPartitionOffset) => {
          this.fetched.push(from);
          if (this.fetchFails) return Promise.reject(new LogError("timeout", "none", "late"));
          return Promise.resolve({ records: from.offset < this.end ? [record(from)] : [] });
        },
      },
    } as unknown as GroupsAccess;
  }

  views(...partitions: readonly number[]) {
    return viewsOf(
      this.services,
      partitions.map((partition) => ({ group: "notify", partition })),
    );
  }

  async view(partition: number): Promise<PartitionView> {
    const [view] = await this.views(partition);
    if (view === undefined || isSilent(view)) throw new TypeError("it is told");
    return view;
  }
}

const functionAt = (name: string, next: number): FunctionStatus => ({
  ...{ name, position: next, next, parked: 0, inFlight: 0 },
});

describe("an object that does not answer", () => {
  test.each([
    ["never does", () => new Promise<never>(() => undefined)],
    ["fails", () => Promise.reject(new Problem("partition-unavailable", "Partition 1 does not answer"))],
  ])("keeps no other partition's figures back, and says that it %s", async (_, answer) => {
    const world = new World();
    world.status(0, 10);
    world.objects.set(1, answer);
    world.status(2, 10);
    const views = await world.views(0, 1, 2);
    expect(views[1]).toEqual({ group: "notify", partition: 1, stalled: "Partition 1 does not answer" });
    expect(views.map(isSilent)).toEqual([false, true, false]);
  });
});

describe("lag in time", () => {
  test("is the age of the oldest unread record, however long nothing was to be read before", async () => {
    const world = new World();
    world.status(3, 9);
    expect((await world.view(3)).topics).toMatchObject([{ lag: 1, lagMs: 5_000 }]);
    expect(world.fetched).toEqual([{ topic, partition: 3, offset: 9 }]);
  });

  test("is known before the first record was read", async () => {
    const world = new World();
    world.status(3, 0);
    world.timeOf = () => world.now - 2 * hour;
    expect((await world.view(3)).topics).toMatchObject([{ lag: 10, lagMs: 2 * hour }]);
  });

  test("costs nothing where nothing is unread", async () => {
    const world = new World();
    world.status(3, 10);
    expect((await world.view(3)).topics).toMatchObject([{ lag: 0, lagMs: 0 }]);
    expect(world.fetched).toEqual([]);
  });

  test("costs one fetch for groups that wait for the same record", async () => {
    const world = new World();
    world.status(3, 4);
    await world.views(3, 3);
    expect(world.fetched).toHaveLength(1);
  });

  test("is open where the log does not tell, and the rest is told", async () => {
    const world = new World();
    world.status(3, 4);
    world.fetchFails = true;
    expect((await world.view(3)).topics).toMatchObject([{ position: 4, lag: 6, lagMs: null }]);
    world.isUp = false;
    expect((await world.view(3)).topics).toMatchObject([{ position: 4, lag: null, lagMs: null }]);
  });

  test("is open where the record has no time, and never below zero", async () => {
    const world = new World();
    world.status(3, 4);
    world.timeOf = () => -1;
    expect((await world.view(3)).topics).toMatchObject([{ lagMs: null }]);
    world.timeOf = () => world.now + 3_000;
    expect((await world.view(3)).topics).toMatchObject([{ lagMs: 0 }]);
  });
});

describe("what the function that is furthest behind has still to read", () => {
  test("is told beside a group that has read everything", async () => {
    const world = new World();
    world.status(0, 10, [functionAt("well", 10), functionAt("left-behind", 3)]);
    expect(await world.view(0)).toMatchObject({ functionLag: 7, topics: [{ lag: 0 }] });
  });

  test("is open without functions, and where the log does not say where it ends", async () => {
    const world = new World();
    world.status(0, 10);
    expect(await world.view(0)).toMatchObject({ functionLag: null });
    world.status(0, 10, [functionAt("f", 3)]);
    world.isUp = false;
    expect(await world.view(0)).toMatchObject({ functionLag: null });
  });
});
