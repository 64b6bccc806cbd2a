/** `npm run demo`: real auctions, through a Gavel of their own. See demo/README.md. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startGavelProcess } from "../local/gavel-process.ts";
import type { LocalFile } from "../local/home.ts";
import { topics } from "../src/topics.ts";
import { type PublishedAuction, readAuctions } from "./auctions.ts";
import { readCompleted } from "./completed.ts";
import { bids, endOfTime, listings, tick } from "./events.ts";
import { type Coordinates, Gateway } from "./gateway.ts";
import { type DemoOptions, readOptions, usage } from "./options.ts";
import { drawAuction } from "./picture.ts";
import { Progress } from "./progress.ts";
import { priceTable } from "./table.ts";

/**
 * Settings of the demo's own Gavel. A backfill runs on topics of its own; in a Kafka that stays,
 * each run has others, since an item that was once listed is not listed again.
 */
const topicPrefix = `demo-${Date.now().toString(36)}.`;
const partitionCount = 8;
const graceMs = 2_000;
/** Requests under way at once while the items are looked at. */
const readers = 16;

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(usage);
else await run(options);

async function run(chosen: DemoOptions): Promise<void> {
  const auctions = readAuctions(chosen.file);
  const home = mkdtempSync(join(tmpdir(), "gavel-demo-"));
  const gavel = await startGavelProcess({
    home,
    kafka: chosen.kafka,
    environment: {
      TOPIC_PREFIX: topicPrefix,
      PARTITION_COUNT: String(partitionCount),
      CLOSE_GRACE_MS: String(graceMs),
    },
  });
  process.once("SIGINT", () => void gavel.stop().then(() => process.exit(130)));
  try {
    await replay(auctions, gavel.local, chosen);
    if (chosen.kafka !== undefined) console.log(`Its topics, ${topicPrefix}*, stay in Kafka.`);
  } finally {
    await gavel.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function replay(
  auctions: readonly PublishedAuction[],
  local: LocalFile,
  { picture, auction }: DemoOptions,
): Promise<void> {
  const gateway = new Gateway(local.url, local.keys.trusted);
  // A trusted time may not be ahead of the clock: the last auction ends an hour before now.
  const epoch = Date.now() - 3_600_000 - endOfTime(0, auctions, graceMs);

  const listed = new Progress("items listed", auctions.length);
  const places = await gateway.publish(listings(auctions, epoch), listed.report);
  const open = new Progress("seen open", auctions.length);
  await seeOpen(gateway, auctions, places, open);

  const stream = bids(auctions, epoch);
  const sent = new Progress("bids placed", stream.length);
  await gateway.publish(stream, sent.report);

  // The clock of a backfill is its records: the last bids leave auctions open until a tick ends them.
  const oneItemPerPartition = new Map(
    places.map(({ partition }, index) => [partition, auctions[index]?.id ?? ""]),
  );
  const end = endOfTime(epoch, auctions, graceMs);
  const ticks = [...oneItemPerPartition.values()].map((item) => tick(item, end));
  await gateway.publish(ticks, () => {});

  const topic = topicPrefix + topics.completed;
  const completed = await readCompleted(local.bridge, topic, partitionCount, auctions.length);
  console.log(`\n${priceTable(auctions, completed)}`);

  const drawn = auctionToDraw(auctions, auction);
  mkdirSync(dirname(picture), { recursive: true });
  writeFileSync(picture, drawAuction(drawn, await gateway.bidsOf(drawn.id), epoch));
  console.log(`\nAuction ${drawn.id} is drawn in ${picture}.`);
}

/** A bid sent before its item is open would only wait; a backfill sees to it first. */
async function seeOpen(
  gateway: Gateway,
  auctions: readonly PublishedAuction[],
  places: readonly Coordinates[],
  progress: Progress,
): Promise<void> {
  const left = auctions.entries();
  let seen = 0;
  const reader = async (): Promise<void> => {
    for (const [index, { id }] of left) {
      const place = places[index];
      if (place === undefined) throw new Error(`${id} has no place in the log.`);
      const status = await gateway.itemStatus(id, place);
      if (status !== "open") throw new Error(`${id} is ${status}, not open.`);
      progress.report(++seen);
    }
  };
  // One iterator shared by all readers hands each item out once.
  await Promise.all(Array.from({ length: readers }, reader));
}

function auctionToDraw(auctions: readonly PublishedAuction[], id = "8212629520"): PublishedAuction {
  const named = auctions.find((auction) => auction.id === id);
  const busiest = auctions.toSorted((one, other) => other.bids.length - one.bids.length)[0];
  const drawn = named ?? busiest;
  if (drawn === undefined) throw new Error("The file has no auction.");
  return drawn;
}
