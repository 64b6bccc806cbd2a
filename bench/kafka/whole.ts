import { connections, openItems, takeTurn, type Turn } from "../batch.ts";
import { untilApplied } from "../harness/lag.ts";
import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import { profileOf } from "../harness/profile.ts";
import { type System, withSystem } from "../harness/system.ts";
import { type KafkaBenchmark, noStrimzi } from "./benchmark.ts";
import { ratios } from "./produce.ts";
import { type BidProducer, strimziProducer } from "./producers.ts";

const secondsPerTurn = 5;
const warmUpSeconds = 10;

/**
 * (k4) The gateway over Kafka, batches of 1,000 bids on four connections, against Strimzi's bare
 * produce of as many: the edge alone (validated, enriched, acknowledged by Kafka), and the whole,
 * whose objects apply and send outputs meanwhile.
 */
export const whole: KafkaBenchmark = {
  title: "(k4) the gateway over Kafka, batches of 1,000 bids until acknowledged",
  async run(setting, options) {
    const strimzi = strimziProducer(setting, await setting.makeTopic("whole.shared"));
    try {
      return await withSystem(
        (system) => measure(system, strimzi, options),
        setting.systemFor("whole", ["gavel", "edge-only"]),
      );
    } finally {
      await strimzi?.close();
    }
  },
};

async function measure(
  system: System,
  strimzi: BidProducer | undefined,
  options: BenchmarkOptions,
): Promise<Figure[]> {
  const { scale, rounds, progress } = options;
  await system.startBridge(options);
  const gavel = await system.startWorker("gavel", options);
  const edge = await system.startWorker("edge-only");
  await openItems(system, gavel);
  const turns = { edge: [] as Turn[], gavel: [] as Turn[], strimzi: [] as number[] };
  await strimzi?.load(1_000, connections, 1000 * warmUpSeconds * scale);
  await takeTurn(system, edge, warmUpSeconds * scale);
  await takeTurn(system, gavel, warmUpSeconds * scale, gavel.url);
  await untilApplied(system, gavel.url);
  const profile = await profileOf(gavel, options, "kafka-whole");
  for (let round = 1; round <= rounds; round += 1) {
    const load = await strimzi?.load(1_000, connections, 1000 * secondsPerTurn * scale);
    if (load !== undefined) turns.strimzi.push((1_000 * load.answered) / load.seconds);
    turns.edge.push(await takeTurn(system, edge, secondsPerTurn * scale));
    turns.gavel.push(await takeTurn(system, gavel, secondsPerTurn * scale, gavel.url));
    const told = [turns.strimzi.at(-1), turns.edge.at(-1)?.rate, turns.gavel.at(-1)?.rate];
    progress(
      `round ${round}: Strimzi, edge, whole ${told.map((rate) => Math.round(rate ?? Number.NaN)).join(", ")}/s`,
    );
  }
  await profile.stop();
  return figuresOf(turns, strimzi);
}

function figuresOf(
  turns: {
    readonly edge: readonly Turn[];
    readonly gavel: readonly Turn[];
    readonly strimzi: readonly number[];
  },
  strimzi: BidProducer | undefined,
): Figure[] {
  const goal = { atLeast: 3 };
  const rates = (of: readonly Turn[]): number[] => of.map(({ rate }) => rate);
  return [
    ...turnFigures("the edge: validated, enriched, acknowledged", turns.edge),
    ...turnFigures("the whole, applying and sending meanwhile", turns.gavel),
    { name: "  until applied", unit: "events/s", values: turns.gavel.map(({ applied }) => applied) },
    { name: `${strimzi?.name ?? noStrimzi}, bare`, unit: "records/s", values: turns.strimzi },
    {
      name: "the edge : Strimzi's bare produce",
      unit: "ratio",
      values: ratios(rates(turns.edge), turns.strimzi),
      goal,
    },
    {
      name: "the whole : Strimzi's bare produce",
      unit: "ratio",
      values: ratios(rates(turns.gavel), turns.strimzi),
      goal,
    },
  ];
}

function turnFigures(name: string, turns: readonly Turn[]): Figure[] {
  return [
    { name, unit: "events/s", values: turns.map(({ rate }) => rate) },
    { name: "  p50 of a batch", unit: "ms", values: turns.map(({ p50 }) => p50) },
    { name: "  p99 of a batch", unit: "ms", values: turns.map(({ p99 }) => p99) },
    { name: "  batches answered 503", unit: "", values: turns.map(({ refused }) => refused) },
    { name: "  CPU of workerd", unit: "µs/event", values: turns.map(({ cpu }) => cpu.workerd) },
    { name: "  CPU of the bridge", unit: "µs/event", values: turns.map(({ cpu }) => cpu.bridge) },
  ];
}
