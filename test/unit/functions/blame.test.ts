/** A record that fails and an endpoint that is away look alike for a while: what each of them may cost. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { FunctionSettings, Invocation, Invoke } from "../../../src/functions/function.ts";
import { GroupWorld } from "./group-world.ts";

let world: GroupWorld | undefined;
afterEach(() => world?.stop());

const failure = { outcomes: [], failure: { reason: "500" } };
const away = { outcomes: [], failure: { reason: "503", isGeneral: true } };
const isBad = ({ records }: Invocation): boolean => records.some(({ value }) => value.includes('"index":0}'));

/** Fails as a whole wherever record 0 is, and does the rest. */
function poisoned(seen: Set<number>, isAway: () => boolean = () => false): Invoke {
  return (invocation) => {
    if (isAway()) return Promise.resolve(away);
    if (isBad(invocation)) return Promise.resolve(failure);
    for (const { offset } of invocation.records) seen.add(offset);
    return Promise.resolve({ outcomes: invocation.records.map(() => ({ status: "done" as const })) });
  };
}

const quick: Partial<FunctionSettings> = {
  batch: { count: 8, characters: 100_000, waitMs: 0, mixesKeys: true },
  circuit: { failures: 3, firstProbeMs: 10, longestProbeMs: 20 },
  retry: { attempts: 6, maximumAgeMs: 60_000, firstDelayMs: 2, longestDelayMs: 4 },
};

async function started(set: (one: GroupWorld) => void): Promise<GroupWorld> {
  world = new GroupWorld();
  set(world);
  await world.start();
  await world.core.wakeFunctions();
  return world;
}

const letters = (one: GroupWorld): number => one.log.of("auction.dead-letters").length;

describe("a record that makes every call fail ends as a dead letter, and nothing else does", () => {
  it.each([
    [
      "in a partition that is called in order",
      { ...quick, order: "partition" as const },
      (index: number) => `key-${index}`,
    ],
    ["with others of its key behind it", quick, () => "one"],
    [
      "with its key's next record behind it, and other keys",
      quick,
      (index: number) => `key-${Math.max(1, index)}`,
    ],
    [
      "called alone, as a subscriber is",
      { ...quick, batch: { count: 1, characters: 1_000, waitMs: 0, mixesKeys: false } },
      () => "one",
    ],
  ])("%s", async (_, settings, keyOf) => {
    const seen = new Set<number>();
    const one = await started((made) => {
      made.add("f", poisoned(seen), settings);
      made.publish(22, keyOf);
    });
    await one.until("all others are done", () => seen.size === 21, 5_000);
    await one.until("it is a dead letter", () => letters(one) === 1, 5_000);
    expect(one.errors.filter((error) => error.startsWith("circuit.opened"))).toEqual([]);
  });

  it("where there is nothing else to tell it from an endpoint that is away", async () => {
    const one = await started((made) => {
      made.add("f", poisoned(new Set()), quick);
      made.publish(1);
    });
    await one.until("it is a dead letter", () => letters(one) > 0, 5_000);
    expect(letters(one)).toBe(1);
  });

  it("also where an endpoint that was away is probed with it: the next probe is of another key", async () => {
    const seen = new Set<number>();
    let isAway = true;
    setTimeout(() => (isAway = false), 100);
    const one = await started((made) => {
      made.add(
        "f",
        poisoned(seen, () => isAway),
        quick,
      );
      // Its key's next ones stand behind it.
      made.publish(50, (index) => `key-${index < 20 ? 0 : index}`);
    });
    await one.until("all others are done", () => seen.size === 49, 5_000);
    await one.until("it is a dead letter", () => letters(one) > 0, 5_000);
    expect(letters(one)).toBe(1);
  });
});

it("several records that make calls fail, of keys of their own, do not pass for an endpoint that is away", async () => {
  const seen = new Set<number>();
  const one = await started((made) => {
    made.add(
      "f",
      ({ records }) => {
        if (records.some(({ offset }) => offset < 4)) return Promise.resolve(failure);
        for (const { offset } of records) seen.add(offset);
        return Promise.resolve({ outcomes: records.map(() => ({ status: "done" as const })) });
      },
      quick,
    );
    made.publish(4, (index) => `key-${index}`);
  });
  await one.until("the circuit is open", async () => {
    const { functions } = await one.core.functionGroupStatus();
    return functions[0]?.circuit !== undefined;
  });
  one.publish(10, (index) => `key-${index}`);
  await one.core.wakeFunctions();
  await one.until("the others are done", () => seen.size === 10, 5_000);
  // As long as now and then something is done, the bad ones are told from an endpoint that is away.
  const flow = setInterval(() => {
    one.publish(1, () => "good");
    void one.core.wakeFunctions().catch(() => undefined);
  }, 20);
  await one.until("the bad ones are dead letters", () => letters(one) > 3, 5_000);
  clearInterval(flow);
  expect(letters(one)).toBe(4);
});

it("of bad records in a row, one after the other, each spends its own attempts", async () => {
  const seen = new Set<number>();
  const one = await started((made) => {
    made.add(
      "f",
      ({ records }) => {
        if (records.some(({ offset }) => offset < 3)) return Promise.resolve(failure);
        for (const { offset } of records) seen.add(offset);
        return Promise.resolve({ outcomes: records.map(() => ({ status: "done" as const })) });
      },
      { ...quick, order: "partition" },
    );
    made.publish(10);
  });
  await one.until("the others are done", () => seen.size === 7, 5_000);
  await one.until("the bad ones are dead letters", () => letters(one) > 2, 5_000);
  expect(letters(one)).toBe(3);
  expect(one.errors.filter((error) => error.startsWith("circuit.opened"))).toEqual([]);
});

it("a record that makes a call of several fail comes with fewer others each time, however many calls are done meanwhile", async () => {
  const sizes: number[] = [];
  const one = await started((made) => {
    made.add(
      "f",
      async (invocation) => {
        if (isBad(invocation)) {
          sizes.push(invocation.records.length);
          return failure;
        }
        await sleep(1);
        return { outcomes: invocation.records.map(() => ({ status: "done" as const })) };
      },
      { ...quick, batch: { count: 64, characters: 100_000, waitMs: 0, mixesKeys: true } },
    );
    made.publish(500, (index) => `key-${index}`);
  });
  const flow = setInterval(() => {
    one.publish(200, (index) => `key-${index}`);
    void one.core.wakeFunctions().catch(() => undefined);
  }, 2);
  await one.until("it is a dead letter", () => letters(one) > 0, 5_000);
  clearInterval(flow);
  const alone = sizes.indexOf(1);
  expect(alone).toBeLessThanOrEqual(7);
  expect(sizes.slice(alone)).toEqual(Array.from({ length: 6 }, () => 1));
});

it("a record that is all there is to probe with ends when it has failed for as long as it may", async () => {
  const seen = new Set<number>();
  let isAway = true;
  const one = await started((made) => {
    made.add(
      "f",
      poisoned(seen, () => isAway),
      {
        ...quick,
        order: "partition",
        retry: { attempts: 6, maximumAgeMs: 300, firstDelayMs: 2, longestDelayMs: 4 },
      },
    );
    made.publish(1, () => "first");
    made.publish(20);
  });
  await one.until("the first has ended for the endpoint's sake", () => letters(one) === 1, 5_000);
  isAway = false;
  await one.until("all others are done", () => seen.size === 20, 5_000);
  expect(letters(one)).toBe(1);
});

describe("an endpoint that fails for everything", () => {
  it("spends no attempt, has few rows and few records in memory, and gets all when it is back", async () => {
    const seen = new Set<number>();
    let [calls, isAway] = [0, true];
    const one = await started((made) => {
      made.add(
        "f",
        ({ records }) => {
          calls += 1;
          if (isAway) return Promise.resolve(failure);
          for (const { offset } of records) seen.add(offset);
          return Promise.resolve({ outcomes: records.map(() => ({ status: "done" as const })) });
        },
        quick,
      );
      made.publish(2_000, (index) => `key-${index}`);
    });
    await one.until("it was probed", () => calls > 30, 5_000);
    const { functions } = await one.core.functionGroupStatus();
    expect(functions[0]).toMatchObject({ circuit: { reason: "500" } });
    expect(functions[0]?.parked).toBeLessThanOrEqual(32);
    expect((functions[0]?.next ?? 0) - (functions[0]?.position ?? 0)).toBeLessThanOrEqual(32);
    isAway = false;
    await one.until("all are done", () => seen.size === 2_000, 5_000);
    expect(letters(one)).toBe(0);
  });

  it("of a declared function may say 410 for a while: nobody could enable it again", async () => {
    let isGone = true;
    const seen: number[] = [];
    const one = await started((made) => {
      made.add(
        "f",
        ({ records }) => {
          if (isGone) return Promise.resolve({ outcomes: [], isGone: true });
          seen.push(...records.map(({ offset }) => offset));
          return Promise.resolve({ outcomes: records.map(() => ({ status: "done" as const })) });
        },
        quick,
      );
      made.publish(20, (index) => `key-${index}`);
    });
    await one.until("it is told", () => one.errors.some((error) => error.includes("410")), 5_000);
    await sleep(50);
    isGone = false;
    await one.until("all are done", () => seen.length === 20, 5_000);
    expect(letters(one)).toBe(0);
  });
});
