import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import type { FunctionRecord, Invoke } from "../../../src/functions/function.ts";
import { GroupWorld } from "./group-world.ts";

const worlds: GroupWorld[] = [];

async function startedWorld(set: (world: GroupWorld) => void): Promise<GroupWorld> {
  const world = new GroupWorld();
  worlds.push(world);
  set(world);
  await world.start();
  // The object may end before it has answered.
  await world.core.wakeFunctions().catch(() => undefined);
  return world;
}

afterEach(() => {
  for (const world of worlds.splice(0)) world.stop();
});

/** Does everything, and keeps the offsets. */
function keeper(seen: number[]): Invoke {
  return ({ records }) => {
    seen.push(...records.map(({ offset }) => offset));
    return Promise.resolve({ outcomes: records.map(() => ({ status: "done" as const })) });
  };
}

const offsets = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

const inOrder = (seen: readonly number[]): number[] => seen.toSorted((left, right) => left - right);

function change(world: GroupWorld, name: string, more: Partial<DrivenFunction>): void {
  const index = world.functions.findIndex((one) => one.name === name);
  world.functions[index] = { ...(world.functions[index] as DrivenFunction), ...more };
}

/** A moment in which everything that is under way comes to rest and is stored. */
const rest = (): Promise<void> => sleep(150);

describe("a function that the others leave behind", () => {
  it("goes on where it stopped after it was disabled and enabled, also when the object ended meanwhile", async () => {
    const [left, other]: [number[], number[]] = [[], []];
    const world = await startedWorld((one) => {
      one.add("left", keeper(left));
      one.add("other", keeper(other));
      one.publish(100);
    });
    await world.until("both have all", () => left.length === 100 && other.length === 100);
    await rest();
    change(world, "left", { disabled: "an operator said so" });
    await world.core.subscriptionsChanged();
    await rest();
    world.publish(100);
    await world.core.wakeFunctions();
    await world.until("the other has the rest", () => other.length === 200);
    await rest();
    await world.restart();
    const { disabled: _, ...enabled } = world.functions[0] as DrivenFunction;
    world.functions[0] = { ...enabled, enabledAt: Date.now() };
    await world.core.wakeFunctions();
    await world.until("it has caught up", () => left.length === 200);
    expect(left).toEqual(offsets(200));
  });

  it("misses nothing when its budget was spent and the object ended", async () => {
    const [left, other]: [number[], number[]] = [[], []];
    let fails = true;
    const world = await startedWorld((one) => {
      one.add(
        "left",
        (invocation) =>
          fails
            ? Promise.resolve({
                outcomes: invocation.records.map(() => ({
                  status: "retry" as const,
                  reason: "later",
                  delayMs: 60_000,
                })),
              })
            : keeper(left)(invocation),
        {
          budget: { records: 20, characters: 1_000_000 },
        },
      );
      one.add("other", keeper(other));
      one.publish(20, (index) => `key-${index}`);
    });
    await world.until("its budget is spent", () => world.rows("parked") === 20);
    await rest();
    world.publish(100, (index) => `key-${index}`);
    await world.core.wakeFunctions();
    await world.until("the other has the rest", () => other.length === 120);
    await rest();
    await world.restart();
    fails = false;
    for (let index = 0; index < 20; index += 1) await world.core.retryParked(`key-${index}`);
    await world.core.wakeFunctions();
    await world.until("it has all", () => new Set(left).size === 120);
    expect(inOrder([...new Set(left)])).toEqual(offsets(120));
  });
});

describe("a seek", () => {
  it("of a group that reads from the log at that moment leaves nothing out", async () => {
    const seen: number[] = [];
    const world = await startedWorld((one) => {
      one.add("f", keeper(seen));
      one.publish(50);
    });
    await world.until("all are done", () => seen.length === 50);
    await rest();
    seen.length = 0;
    const fetch = world.log.fetch.bind(world.log);
    world.log.fetch = async (place) => {
      const answer = await fetch(place);
      await sleep(100);
      return answer;
    };
    world.publish(50);
    const woken = world.core.wakeFunctions();
    await sleep(50);
    expect(await world.core.seek(0, false)).toMatchObject({ kind: "done", to: 0 });
    await woken;
    await world.core.wakeFunctions();
    await world.until("everything was delivered again", () => new Set(seen).size === 100);
    expect(inOrder([...new Set(seen)])).toEqual(offsets(100));
  });

  it("backwards has its records delivered again without anybody's wake", async () => {
    const seen: number[] = [];
    const world = await startedWorld((one) => {
      one.add("f", keeper(seen));
      one.publish(50);
    });
    await world.until("all are done", () => seen.length === 50);
    await rest();
    await world.core.seek(20, false);
    await world.until("they come again", () => seen.length === 80, 2_000);
    expect(seen.slice(50)).toEqual(offsets(30, 20));
  });
});

it("that it is gone is told until whoever keeps the functions has heard it, and by one event", async () => {
  let asked = 0;
  const world = await startedWorld((one) => {
    one.add("gone", () => Promise.resolve({ outcomes: [], isGone: true }));
    change(one, "gone", {
      disable: () => {
        asked += 1;
        return asked < 3 ? Promise.reject(new Error("not reachable")) : Promise.resolve("disabled");
      },
    });
    one.publish(1);
  });
  await world.until("it is told", () => world.log.of("auction.dead-letters").length > 0);
  await rest();
  expect(world.log.of("auction.dead-letters")).toHaveLength(1);
  expect(asked).toBe(3);
});

it("a record that makes calls fail as a whole ends as a dead letter, and those that came with it are done", async () => {
  const seen = new Set<number>();
  const world = await startedWorld((one) => {
    one.add(
      "f",
      ({ records }) => {
        if (records.some(({ value }) => value.includes('"index":77}')))
          return Promise.resolve({ outcomes: [], failure: { reason: "500" } });
        for (const { offset } of records) seen.add(offset);
        return Promise.resolve({ outcomes: records.map(() => ({ status: "done" as const })) });
      },
      {
        batch: { count: 64, characters: 100_000, waitMs: 0, mixesKeys: true },
        circuit: { failures: 1_000, firstProbeMs: 10, longestProbeMs: 10 },
        retry: { attempts: 3, maximumAgeMs: 60_000, firstDelayMs: 5, longestDelayMs: 10 },
      },
    );
    one.publish(200, (index) => `key-${index}`);
  });
  // What goes on succeeding must not keep it in company.
  const flow = setInterval(() => {
    world.publish(200, (index) => `key-${index}`);
    void world.core.wakeFunctions().catch(() => undefined);
  }, 5);
  try {
    await world.until("it is a dead letter", () => world.log.of("auction.dead-letters").length > 0, 3_000);
  } finally {
    clearInterval(flow);
  }
  const [letter] = world.log.of("auction.dead-letters");
  expect(JSON.parse(letter?.value ?? "")).toMatchObject({ offset: 77, attempts: 3 });
  const end = world.log.of("auction.notifications").length;
  await world.until("all others are done", () => seen.size === end - 1);
  expect(world.log.of("auction.dead-letters")).toHaveLength(1);
});

it("a record whose calls end the object each time ends as a dead letter when its attempts are spent", async () => {
  const seen: number[] = [];
  const attempts: number[] = [];
  const world = await startedWorld((one) => {
    one.add(
      "f",
      async (invocation) => {
        const bad = invocation.records.find(({ offset }) => offset === 2);
        if (bad === undefined) return keeper(seen)(invocation);
        attempts.push(bad.attempt);
        await one.restart();
        void one.core.wakeFunctions().catch(() => undefined);
        return { outcomes: [] };
      },
      {
        timeoutMs: 50,
        batch: { count: 4, characters: 100_000, waitMs: 0, mixesKeys: true },
        retry: { attempts: 3, maximumAgeMs: 60_000, firstDelayMs: 5, longestDelayMs: 10 },
      },
    );
    one.publish(10, (index) => `key-${index}`);
  });
  await world.until("it is a dead letter", () => world.log.of("auction.dead-letters").length > 0, 5_000);
  const [letter] = world.log.of("auction.dead-letters");
  expect(JSON.parse(letter?.value ?? "")).toMatchObject({ offset: 2, attempts: attempts.length });
  expect(attempts).toEqual([1, 2, 3, 4]);
  await world.until("all others are done", () => new Set(seen).size === 9);
  expect(world.log.of("auction.dead-letters")).toHaveLength(1);
});

it("what is due is called while the log and whoever keeps the functions are away, without a storm of alarms", async () => {
  const calls: FunctionRecord[] = [];
  let fails = true;
  const world = await startedWorld((one) => {
    one.add(
      "f",
      ({ records }) => {
        calls.push(...records);
        const status = fails ? ("retry" as const) : ("done" as const);
        return Promise.resolve({ outcomes: records.map(() => ({ status, reason: "not yet" })) });
      },
      { retry: { attempts: 100, maximumAgeMs: 60_000, firstDelayMs: 100, longestDelayMs: 100 } },
    );
    one.publish(1);
  });
  await world.until("it was called", () => calls.length > 0);
  world.isSourceAway = true;
  world.log.isAway = true;
  void world.core.wakeFunctions().catch(() => undefined);
  const before = calls.length;
  await world.until("it is called again", () => calls.length > before + 2, 3_000);
  expect(world.alarms).toBeLessThan(50);
  fails = false;
  await world.until("it is done", async () => {
    const [{ oldestUnfinished } = {}] = (await world.core.functionGroupStatus()).functions;
    return oldestUnfinished === undefined;
  });
});

it("an answer that tells of the functions late does not take the place of a later one", async () => {
  const seen: number[] = [];
  const world = await startedWorld((one) => {
    one.add("old", keeper([]));
    one.publish(10);
  });
  await rest();
  const [before] = [[...world.functions]];
  world.add("new", ({ records }) => {
    seen.push(...records.map(({ offset }) => offset));
    return Promise.resolve({
      outcomes: records.map(() => ({ status: "retry" as const, reason: "later", delayMs: 60_000 })),
    });
  });
  world.nextAnswer = sleep(100).then(() => before);
  const late = world.core.subscriptionsChanged();
  await world.core.subscriptionsChanged();
  await world.until("the new one is driven", () => seen.length === 10, 2_000);
  await late;
  await rest();
  expect(world.rows("parked")).toBe(10);
  expect(seen).toHaveLength(10);
});

describe("an object that has nothing to do now is not woken again and again", () => {
  it("while an open circuit has no record left to probe with", async () => {
    const world = await startedWorld((one) => {
      one.add("f", () => Promise.resolve({ outcomes: [], failure: { reason: "away" } }), {
        batch: { count: 1, characters: 1_000, waitMs: 0, mixesKeys: false },
        retry: { attempts: 3, maximumAgeMs: 60_000, firstDelayMs: 5, longestDelayMs: 10 },
        circuit: { failures: 3, firstProbeMs: 10, longestProbeMs: 10 },
      });
      one.publish(1);
    });
    await world.until("it is a dead letter", () => world.log.of("auction.dead-letters").length === 1);
    world.alarms = 0;
    await sleep(300);
    expect(world.alarms).toBeLessThan(3);
  });

  it("while an open circuit's only record waits for longer than the probe", async () => {
    let calls = 0;
    const world = await startedWorld((one) => {
      one.add(
        "f",
        () => {
          calls += 1;
          return Promise.resolve({ outcomes: [], failure: { reason: "away" } });
        },
        {
          batch: { count: 1, characters: 1_000, waitMs: 0, mixesKeys: false },
          retry: { attempts: 100, maximumAgeMs: 600_000, firstDelayMs: 60_000, longestDelayMs: 60_000 },
          circuit: { failures: 3, firstProbeMs: 10, longestProbeMs: 10 },
        },
      );
      one.publish(3);
    });
    await world.until("the circuit is open", async () => {
      const [{ circuit } = {}] = (await world.core.functionGroupStatus()).functions;
      return circuit !== undefined;
    });
    world.alarms = 0;
    calls = 0;
    await sleep(300);
    expect(world.alarms).toBeLessThan(2 * calls + 5);
  });

  it("while its outbox is full and the log takes nothing", async () => {
    const world = await startedWorld((one) => {
      one.log.refused = "auction.dead-letters";
      one.add(
        "f",
        ({ records }) =>
          Promise.resolve({ outcomes: records.map(() => ({ status: "reject" as const, reason: "no" })) }),
        { concurrency: 1, batch: { count: 200, characters: 10_000_000, waitMs: 0, mixesKeys: true } },
      );
      one.publish(30_000);
    });
    await world.until("the outbox is full", async () => {
      await sleep(50);
      const before = (await world.core.functionGroupStatus()).outbox;
      await sleep(200);
      return before > 1_000 && (await world.core.functionGroupStatus()).outbox === before;
    });
    world.alarms = 0;
    await sleep(300);
    expect(world.alarms).toBeLessThan(5);
    world.log.refused = "";
    await world.until(
      "every record is a dead letter",
      () => world.log.of("auction.dead-letters").length === 30_000,
      30_000,
    );
  });
});
