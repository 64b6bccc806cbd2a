import { expect, test } from "vitest";
import type { TrailAnswer } from "../../../durable-objects/trail/answer.ts";
import { trailsOf } from "../../../src/lineage/trails.ts";
import { Problem } from "../../../src/lib/problem.ts";
import { partitionFor } from "../../../src/kafka/partitioner.ts";
import { createPartitions, type Partitions } from "../../../src/partitions.ts";
import { HandClock } from "../partition/core-world.ts";

const answer: TrailAnswer = { position: 5, itemsPosition: 1, steps: [] };
const away = (): Promise<TrailAnswer> => Promise.reject(new Error("the object failed"));
const silent = (): Promise<TrailAnswer> => new Promise(() => undefined);
const here = (): Promise<TrailAnswer> => Promise.resolve(answer);

/** Partitions whose objects answer so. */
function partitionsOf(...trails: readonly (() => Promise<TrailAnswer>)[]): Partitions {
  const objects = { getByName: (name: string) => ({ trailOf: trails[Number(name.split("/")[1])] }) };
  return createPartitions(objects, trails.length);
}

test("every partition is asked, and one that fails or hangs keeps no other's answer back", async () => {
  const clock = new HandClock();
  const asked = trailsOf({ clock, partitions: partitionsOf(here, away, silent, here) }, "bid", undefined);
  await clock.advance(2_000);
  const { answered, silence } = await asked;
  expect(answered.map(({ partition }) => partition)).toEqual([0, 3]);
  expect(silence).toBeInstanceOf(Problem);
  expect(silence).toMatchObject({ code: "partition-unavailable", detail: "Partition 1 does not answer" });
});

test("where the item is named, its partition alone is asked", async () => {
  const [partition, other] = [partitionFor("lamp", 2), 1 - partitionFor("lamp", 2)];
  const partitions = partitionsOf(...[0, 1].map((number) => (number === other ? away : here)));
  const { answered, silence } = await trailsOf({ clock: new HandClock(), partitions }, "bid", "lamp");
  expect(answered).toEqual([{ ...answer, partition }]);
  expect(silence).toBeUndefined();
});
