import { cpuOf } from "../harness/cpu.ts";
import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import { type System, withSystem } from "../harness/system.ts";
import { type KafkaBenchmark, noStrimzi } from "./benchmark.ts";
import { makeBids, partitionCount } from "./bids.ts";
import { fillTopic } from "./fill.ts";
import { bridgeReader, type FilledTopic, libraryFetch, libraryStream, strimziReader } from "./readers.ts";
import type { Setting } from "./setting.ts";

const recordCount = 400_000;

/** (k3) Reading a topic from its start to its end, all partitions side by side. */
export const fetching: KafkaBenchmark = {
  title: "(k3) fetch at offsets, 1 MiB an answer",
  async run(setting, options) {
    const topic = await setting.makeTopic("fetch.shared");
    const bids = makeBids(1_000 * Math.ceil((recordCount * options.scale) / 1_000));
    // Strimzi's JSON format reads keys as JSON.
    await fillTopic(
      setting,
      topic,
      bids.map((bid) => ({ ...bid, key: JSON.stringify(bid.key) })),
    );
    const ends = Array.from({ length: partitionCount }, () => 0);
    for (const { partition } of bids) ends[partition] = (ends[partition] ?? 0) + 1;
    return withSystem(
      (system) => measure(system, setting, { topic, ends }, options),
      setting.systemFor("fetch"),
    );
  },
};

async function measure(
  system: System,
  setting: Setting,
  filled: FilledTopic,
  options: BenchmarkOptions,
): Promise<Figure[]> {
  await system.startBridge(options);
  const readers = [
    bridgeReader(system),
    strimziReader(setting),
    libraryFetch(setting),
    libraryStream(setting),
  ];
  const rates = readers.map((): number[] => []);
  const bridgeCpu: number[] = [];
  const total = filled.ends.reduce((sum, end) => sum + end, 0);
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [index, reader] of readers.entries()) {
      if (reader === undefined) continue;
      const before = cpuOf(system.bridge.pid);
      const seconds = await reader.read(filled);
      // The first time of each warms it up.
      if (round === 0) continue;
      rates[index]?.push(total / seconds);
      if (index === 0) bridgeCpu.push((1000 * (cpuOf(system.bridge.pid) - before)) / total);
    }
    const told = rates.map((all) => Math.round(all.at(-1) ?? Number.NaN));
    if (round > 0) options.progress(`round ${round}: ${told.join(", ")} records/s`);
  }
  const [bridge = [], ...others] = readers.map((reader, index): Figure => ({
    name: reader?.name ?? noStrimzi,
    unit: "records/s",
    values: rates[index] ?? [],
  }));
  return [bridge, { name: "  CPU of the bridge", unit: "µs/record", values: bridgeCpu }, ...others].flat();
}
