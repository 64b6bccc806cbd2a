import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type PublishedAuction, readAuctions } from "../../demo/auctions.ts";
import { bids, type CloudEvent, endOfTime, listings, tick } from "../../demo/events.ts";
import { openingOf } from "../../src/auction/opening.ts";
import { partitionFor } from "../../src/kafka/partitioner.ts";
import type { ProduceRecord } from "../../src/kafka/port.ts";
import { topics } from "../../src/topics.ts";

/** When the auctions of the data are taken to start. */
const ebayEpoch = Date.UTC(2026, 0, 1);
const graceMs = 2_000;
const settings = { graceMs, earlyBidWaitMs: 3_600_000, retentionMs: 604_800_000 };

export function ebayAuctions(): PublishedAuction[] {
  return readAuctions(join(import.meta.dirname, "..", "..", "demo", "ebay-auctions.csv"));
}

/**
 * The journal of real auctions, as a gateway and its relay write it: in each partition the openings,
 * then the bids in the order of time, then a tick that ends what is open.
 */
export function ebayJournal(auctions: readonly PublishedAuction[], partitions: number): ProduceRecord[] {
  const openings = listings(auctions, ebayEpoch).map((event, offset) => {
    const listed = { ...recordOf(event, topics.items, partitions), offset };
    return openingOf(listed, settings, { journal: topics.journal, source: "/groups/auction/0" });
  });
  const placed = bids(auctions, ebayEpoch).map((event) => recordOf(event, topics.journal, partitions));
  const end = endOfTime(ebayEpoch, auctions, graceMs);
  const oneEach = new Map(auctions.map(({ id }) => [partitionFor(id, partitions), id]));
  const ticks = [...oneEach.values()].map((item) => recordOf(tick(item, end), topics.journal, partitions));
  return [...openings, ...placed, ...ticks];
}

function recordOf(event: CloudEvent, topic: string, partitions: number): ProduceRecord {
  const edge = { receivedAt: new Date(ebayEpoch + 90 * 86_400_000).toISOString(), credential: "test" };
  return {
    topic,
    partition: partitionFor(event.subject, partitions),
    key: event.subject,
    value: JSON.stringify({ ...event.data, edge }),
    timestamp: Date.parse(event.time),
    headers: [
      { key: "ce_id", value: event.id },
      { key: "ce_source", value: event.source },
      { key: "ce_type", value: event.type },
    ],
  };
}

/**
 * The same auctions in SQL, by nobody's code but SQLite's: `auctions(id, category, opening, ends)`,
 * `bids(auction, bidder, amount, at, line)`, and `eligible`, the bids in time and not below the
 * opening price, with what had been bid before each.
 */
export function ebayDatabase(auctions: readonly PublishedAuction[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(`
    CREATE TABLE auctions (id TEXT PRIMARY KEY, category TEXT, opening INTEGER, ends INTEGER);
    CREATE TABLE bids (auction TEXT, bidder TEXT, amount INTEGER, at INTEGER, line INTEGER);
    CREATE VIEW eligible AS SELECT category, auction, bidder, amount,
        coalesce(max(amount) OVER (PARTITION BY auction ORDER BY at, line
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM bids JOIN auctions ON id = auction WHERE at < ends AND amount >= opening;
  `);
  const auction = database.prepare(`INSERT INTO auctions VALUES (?, ?, ?, ?)`);
  const bid = database.prepare(`INSERT INTO bids VALUES (?, ?, ?, ?, ?)`);
  for (const { id, category, days, openingPrice, bids: placed } of auctions) {
    auction.run(id, category, openingPrice, days * 86_400_000);
    for (const { bidder, amount, at, line } of placed) bid.run(id, bidder, amount, at, line);
  }
  return database;
}
