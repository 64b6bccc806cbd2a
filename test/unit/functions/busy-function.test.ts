import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { defaultSettings } from "../../../src/functions/declare.ts";
import { GroupWorld } from "./group-world.ts";

let world: GroupWorld | undefined;

afterEach(() => world?.stop());

const oneByOne = { ...defaultSettings.batch, count: 1, mixesKeys: false };

it("a function that is as fast as its calls allow parks nothing, however much waits for it", async () => {
  world = new GroupWorld();
  const current = world;
  let [calls, mostParked, mostWaiting] = [0, 0, 0];
  current.add(
    "f",
    async ({ records }) => {
      calls += records.length;
      mostParked = Math.max(mostParked, current.rows("parked"));
      await sleep(1);
      return { outcomes: records.map(() => ({ status: "done" })) };
    },
    { order: "key", batch: oneByOne, concurrency: 16 },
  );
  current.publish(6_000, (index) => `key-${index % 1_000}`);
  await current.start();
  void current.core.wakeFunctions();
  await current.until("most are done", async () => {
    const { functions, position } = await current.core.functionGroupStatus();
    mostWaiting = Math.max(mostWaiting, position - (functions[0]?.position ?? position));
    return calls >= 6_000;
  });
  expect({ calls, mostParked }).toEqual({ calls: 6_000, mostParked: 0 });
  expect(mostWaiting).toBeGreaterThan(1_500);
});
