import { expect, test } from "vitest";
import type { PartitionRpc, PartitionStatus } from "../../durable-objects/rpc.ts";
import { type KafkaLog, LogError } from "../../src/kafka/port.ts";
import type { Partitions } from "../../src/partitions.ts";
import { sweep } from "../../src/sweep.ts";

interface Scene {
  /** Ids `[items, journal]` of the topics, as the log tells them and as the objects know them. */
  readonly ids?: { readonly log: readonly [string, string]; readonly object: readonly [string, string] };
  /** End offsets `[items, journal]` of each partition, as the log tells them. */
  readonly ends: (readonly [number, number])[];
  /** Positions `[items, journal]` and outputs not yet sent; null for an object that fails. */
  readonly objects: (readonly [number, number, number] | null)[];
}

function run({ ends, objects, ids }: Scene, log?: Partial<KafkaLog>) {
  const asked: number[] = [];
  const woken: number[] = [];
  const lines: string[] = [];
  const status = (partition: number): PartitionStatus => {
    const [items, journal, outbox] = objects[partition] ?? [0, 0, 0];
    const none = { streamTime: 0, deadLettered: 0, lostOffsets: 0, outbox, partition };
    return {
      ...none,
      items: { position: items, endOffset: null, ...(ids && { topicId: ids.object[0] }) },
      journal: { position: journal, endOffset: null, ...(ids && { topicId: ids.object[1] }) },
    };
  };
  const objectOf = (partition: number) =>
    ({
      status: async () => (asked.push(partition), status(partition)),
      wake: async () => (woken.push(partition), status(partition)),
    }) as unknown as PartitionRpc;
  const partitions = {
    count: ends.length,
    call: async (partition: number, operation: (object: PartitionRpc) => Promise<unknown>) => {
      if (objects[partition] === null) throw new Error("the object failed");
      return operation(objectOf(partition));
    },
  } as unknown as Partitions;
  const offsets: KafkaLog["offsets"] = async (_, wanted) =>
    wanted.map((at) => {
      const place = at.topic === "items" ? 0 : 1;
      const topicId = ids?.log[place];
      return { ...at, offset: ends[at.partition]?.[place] ?? 0, ...(topicId && { topicId }) };
    });
  const done = sweep({
    log: { offsets, ...log } as KafkaLog,
    partitions,
    clock: { now: () => 0, sleep: async () => {} },
    logger: (level, event) => void lines.push(`${level} ${event}`),
    topics: { items: "items", journal: "bids" },
  });
  const ascending = (numbers: number[]) => numbers.toSorted((left, right) => left - right);
  return done.then(() => ({ asked: ascending(asked), woken: ascending(woken), lines }));
}

test("the sweep asks every object, and wakes what lags in either topic or has outputs to send", async () => {
  const result = await run({
    ends: [
      [5, 9],
      [5, 9],
      [5, 9],
      [5, 9],
      [0, 0],
    ],
    objects: [
      [5, 9, 0],
      [4, 9, 0],
      [5, 8, 0],
      [5, 9, 1],
      [0, 0, 0],
    ],
  });
  expect(result.asked).toEqual([0, 1, 2, 3, 4]);
  expect(result.woken).toEqual([1, 2, 3]);
});

test("an object that fails keeps no other from being woken", async () => {
  const result = await run({
    ends: [
      [1, 1],
      [1, 1],
    ],
    objects: [null, [0, 0, 0]],
  });
  expect(result.woken).toEqual([1]);
  expect(result.lines).toContain("warn wake-failed");
});

test("a log that is away ends the sweep without an exception", async () => {
  const offsets = () => Promise.reject(new LogError("unavailable", "none", "away"));
  const result = await run({ ends: [[1, 1]], objects: [[0, 0, 0]] }, { offsets });
  expect(result).toEqual({ asked: [], woken: [], lines: ["warn sweep-failed"] });
});

test("an end that the log does not tell counts as lag", async () => {
  const result = await run({ ends: [[1, 1]], objects: [[1, 1, 0]] }, { offsets: async () => [] });
  expect(result.woken).toEqual([0]);
});

test("a log that ends before a position is told: what it takes now would pass for known", async () => {
  const result = await run({ ends: [[5, 9]], objects: [[5, 12, 0]] });
  expect(result.lines).toEqual(["error log-behind", "info sweep"]);
  // Woken, the object holds its positions against the log, stops, and says why in its status.
  expect(result.woken).toEqual([0]);
});

test("a log that grew while the object was asked is not behind", async () => {
  let asked = 0;
  const offsets: KafkaLog["offsets"] = async (_, wanted) => {
    asked += 1;
    return wanted.map((at) => ({ ...at, offset: asked === 1 ? 9 : 12 }));
  };
  const result = await run({ ends: [[9, 9]], objects: [[9, 12, 0]] }, { offsets });
  expect(asked).toBe(2);
  expect(result).toEqual({ asked: [0], woken: [], lines: [] });
});

test("a topic that was made again wakes its objects, whatever its ends are", async () => {
  const ends = [
    [5, 9],
    [5, 400],
  ] as const;
  const objects = [
    [5, 9, 0],
    [5, 400, 0],
  ] as const;
  const object = ["items-1", "bids-1"] as const;
  expect((await run({ ends: [...ends], objects: [...objects], ids: { log: object, object } })).woken).toEqual(
    [],
  );
  const log = ["items-1", "bids-2"] as const;
  expect((await run({ ends: [...ends], objects: [...objects], ids: { log, object } })).woken).toEqual([0, 1]);
});

test("of the topic that was read, an end before a position is no fault: the object waits for it", async () => {
  const ids = { log: ["items-1", "bids-1"], object: ["items-1", "bids-1"] } as const;
  const result = await run({ ends: [[5, 9]], objects: [[5, 12, 0]], ids });
  expect(result).toMatchObject({ woken: [0], lines: ["info sweep"] });
});
