import { beforeEach, describe, expect, test } from "vitest";
import { keptMs, mostKept } from "../../../src/replays/replay.ts";
import { topics } from "../../../src/topics.ts";
import { bid, startsAt } from "../partition/core-world.ts";
import { CatalogWorld } from "./catalog-world.ts";

let world: CatalogWorld;

beforeEach(() => {
  world = new CatalogWorld();
  for (let number = 0; number < 2_100; number += 1)
    world.log.append(bid(`item-${number}`, "ada", 1, startsAt + number * 1_000));
});

describe("while the log is away", () => {
  test("a replay waits, longer each time up to 30 s, tells why, and then goes on", async () => {
    const id = await world.start("event-rates");
    world.log.failures = 8;
    const waits: number[] = [];
    let last = world.clock.now();
    for (let alarm = 0; alarm < 9; alarm += 1) {
      const at = await world.fire();
      waits.push(at - last);
      last = at;
      const [part] = (await world.catalog.get(id))?.parts ?? [];
      if (alarm < 8) expect(part?.waiting).toMatchObject({ failures: alarm + 1 });
      if (alarm < 8) expect(part?.waiting?.reason).toContain("the log is away");
      else expect(part).not.toHaveProperty("waiting");
    }
    expect(waits).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(await world.finish(id)).toMatchObject({
      status: "done",
      parts: [{ position: 2_100, records: 2_100 }],
    });
  });

  test("a replay can be cancelled, and after seven days it is given up", async () => {
    const [cancelled, waiting] = [await world.start("event-rates"), await world.start("event-rates")];
    world.log.failures = Number.POSITIVE_INFINITY;
    await world.fire();
    expect(await world.catalog.cancel(cancelled, "operator")).toMatchObject({ status: "cancelled" });
    world.clock.time += keptMs - 60_000;
    await world.fire();
    expect(await world.catalog.get(waiting)).toMatchObject({ status: "running" });
    world.clock.time += 60_000;
    await world.fire();
    expect(await world.catalog.get(waiting)).toMatchObject({
      status: "failed",
      failure: { code: "too-long" },
    });
  });
});

describe("a replay that has ended", () => {
  test("is kept for seven days with its result, then deleted by the alarm", async () => {
    const id = await world.start("event-rates");
    const done = await world.finish(id);
    expect(done.result).toContain('"records"');
    const finished = done.finishedAt ?? 0;
    await world.restart();
    expect(await world.catalog.get(id)).toEqual(done);
    expect(await world.fire()).toBe(finished + keptMs);
    expect(await world.catalog.get(id)).toBeNull();
    expect(world.alarmAt).toBeNull();
  });

  test("makes room for a newer one where there are as many as may be, the oldest first", async () => {
    const ids: string[] = [];
    for (let made = 0; made < mostKept + 2; made += 1) {
      const id = await world.start("event-rates", {}, [{ from: 0, to: 0 }]);
      await world.finish(id);
      ids.push(id);
      world.clock.time += 1;
    }
    const kept = (await world.catalog.list(1_000)).map(({ id }) => id);
    expect(kept).toEqual(ids.slice(2).toReversed());
  });

  test("leaves nothing behind, also where an object could not be emptied at first", async () => {
    const id = await world.start("event-rates");
    await world.fire();
    await world.catalog.cancel(id, "operator");
    world.broken.add(`${id}/0`);
    await world.fire();
    expect(world.has(`${id}/0`)).toBe(true);
    expect(world.lines.map(({ event }) => event)).toContain("replay-not-discarded");
    world.broken.clear();
    await world.fire();
    expect(world.has(`${id}/0`)).toBe(false);
  });
});

describe("a replay fails with a reason", () => {
  test("that the analysis gives", async () => {
    const id = await world.start("event-rates", { parameters: { bucketSeconds: 1 } });
    const { status, failure, result } = await world.finish(id);
    expect({ status, result }).toEqual({ status: "failed", result: undefined });
    expect(failure).toEqual({
      code: "analysis",
      detail: "the stretch spans more than 2000 buckets; ask for longer ones",
    });
  });

  test("where an object of it fails ten times in a row, reading or concluding", async () => {
    for (const object of ["0", "result"]) {
      const id = await world.start("event-rates");
      world.broken.add(`${id}/${object}`);
      for (let alarms = 0; (await world.catalog.get(id))?.status === "running"; alarms += 1) {
        expect(alarms).toBeLessThan(60);
        await world.fire();
      }
      expect(await world.catalog.get(id), object).toMatchObject({
        status: "failed",
        failure: { code: "internal", detail: expect.stringContaining("the object is gone") as string },
      });
    }
  });

  test("where the topic was made again while it was read", async () => {
    world.log.topicId = "one";
    const id = await world.start("event-rates", {}, [{ from: 0, to: 2_200 }]);
    await world.fire();
    world.log.topicId = "another";
    for (let number = 0; number < 100; number += 1) world.log.append(bid("item", "ada", 1, startsAt));
    expect(await world.finish(id)).toMatchObject({ status: "failed", failure: { code: "topic-replaced" } });
  });

  test("where it has more bytes than it may, a fetch later at most", async () => {
    const id = await world.start("event-rates", { maximumBytes: 1_000 });
    const { status, failure, parts } = await world.finish(id);
    expect({ status, code: failure?.code }).toEqual({ status: "failed", code: "maximum-bytes" });
    expect(parts[0]?.records).toBe(500);
  });
});

describe("the catalog", () => {
  test("starts a replay once for an id, and goes on with it after it ended itself, alarm or not", async () => {
    const id = await world.start("event-rates");
    expect(await world.start("event-rates", { id })).toBe(id);
    expect(await world.catalog.list(10)).toHaveLength(1);
    world.alarmAt = null;
    await world.restart();
    expect(world.alarmAt).not.toBeNull();
    await world.fire();
    await world.restart();
    expect(await world.finish(id)).toMatchObject({ status: "done", parts: [{ records: 2_100 }] });
  });

  test("writes who started and who cancelled a replay, and by which request of which trace", async () => {
    const id = await world.start("event-rates");
    await world.catalog.cancel(id, "another", { requestId: "request-2", traceId: "trace-2" });
    await world.catalog.cancel(id, "a third", { requestId: "request-3", traceId: "trace-3" });
    const audits = world.lines.filter(({ event }) => event === "audit").map(({ fields }) => fields);
    const common = { replay: id, analysis: "event-rates", topic: topics.journal };
    expect(audits).toEqual([
      {
        action: "replay.started",
        ...common,
        credential: "operator",
        requestId: "request-1",
        traceId: "trace-1",
      },
      {
        action: "replay.cancelled",
        ...common,
        credential: "another",
        requestId: "request-2",
        traceId: "trace-2",
      },
    ]);
  });
});
