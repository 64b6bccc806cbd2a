import type { ProduceRecord } from "../src/kafka/port.ts";
import { BridgeClient } from "./harness/bridge-client.ts";
import { Connection } from "./harness/connection.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { MeasuredObject } from "./harness/measured.ts";
import { profileOf } from "./harness/profile.ts";
import { RecordFactory } from "./harness/records.ts";
import { type System, withSystem } from "./harness/system.ts";

const items = 1_000;
const bidsPerRound = 100_000;
const bidders = 50_000;
const auctionMs = 24 * 60 * 60 * 1000;
const stride = 7_919;

/**
 * (e) How fast one partition applies a full log, read from the bridge. Without outputs each item
 * has one bidder, who raises the own bid and displaces nobody; with outputs every bid displaces
 * another bidder, and the clock stops when the log has acknowledged the last notification.
 * A rebuild is the same after a wipe: its outputs are known to be in their topics.
 */
export const apply: Benchmark = {
  title: "(e) one partition from a full log",
  async run(options) {
    const { rounds } = options;
    // The first partition warms the runtime's code up; then one for each round of each kind.
    const variables = { PARTITION_COUNT: String(1 + 2 * rounds) };
    return withSystem((system) => measure(system, options), { variables });
  },
};

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  const { progress, rounds } = options;
  await system.startBridge();
  const worker = await system.startWorker("measured", options);
  const connection = await Connection.open(worker.url);
  const bids = Math.round(bidsPerRound * options.scale);
  const log = new BridgeClient(system);
  const rates = { without: [] as number[], with: [] as number[] };
  const rebuilds = { without: [] as number[], with: [] as number[] };
  const profile = await profileOf(worker, options, "apply");
  for (let partition = 0; partition <= 2 * rounds; partition += 1) {
    const kind = partition % 2 === 0 ? "with" : "without";
    await fill(log, partition, bids, kind === "with");
    const object = new MeasuredObject(connection, `auction/${partition}`);
    const rate = (items + bids) / (await object.wake());
    const { digest } = await object.digest();
    await object.wipe();
    const rebuild = (items + bids) / (await object.wake());
    if ((await object.digest()).digest !== digest) throw new Error("a rebuild ended in another state");
    progress(
      `${partition === 0 ? "warm-up" : `${kind} outputs`}: ${Math.round(rate)}/s, rebuild ${Math.round(rebuild)}/s`,
    );
    if (partition === 0) continue;
    rates[kind].push(rate);
    rebuilds[kind].push(rebuild);
  }
  await profile.stop();
  connection.close();
  return [
    { name: "without outputs", unit: "events/s", values: rates.without, goal: { atLeast: 50_000 } },
    { name: "with outputs acknowledged", unit: "events/s", values: rates.with, goal: { atLeast: 30_000 } },
    {
      name: "rebuild, no outputs ever",
      unit: "events/s",
      values: rebuilds.without,
      goal: { atLeast: 50_000 },
    },
    { name: "rebuild, outputs known", unit: "events/s", values: rebuilds.with, goal: { atLeast: 30_000 } },
  ];
}

async function fill(log: BridgeClient, partition: number, bids: number, manyBidders: boolean): Promise<void> {
  const factory = new RecordFactory(partition);
  const now = Date.now();
  const listed = Array.from({ length: items }, (_, index) =>
    factory.item(`item-${index}`, now + auctionMs, now),
  );
  await log.append(listed);
  await log.append(journal(factory, listed, bids, manyBidders, now));
}

/** Openings where the relay would have put them, then bids in turn on every item. */
function* journal(
  factory: RecordFactory,
  listed: readonly ProduceRecord[],
  bids: number,
  manyBidders: boolean,
  now: number,
): Generator<ProduceRecord> {
  for (const [offset, item] of listed.entries()) yield factory.opening(item, offset);
  for (let index = 1; index <= bids; index += 1) {
    const item = (index * stride) % items;
    const bidder = manyBidders ? (index * stride) % bidders : item;
    yield factory.bid(`item-${item}`, `bidder-${bidder}`, 100 + index, now + Math.floor(index / 50));
  }
}
