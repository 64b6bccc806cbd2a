import type { Edge } from "../../src/auction/events.ts";
import { openingOf } from "../../src/auction/opening.ts";
import { recordMaker } from "../../src/ingest/records.ts";
import type { LogRecord, ProduceRecord } from "../../src/kafka/port.ts";
import { newTrace } from "../../src/lib/trace-context.ts";
import { uuidv7 } from "../../src/lib/uuid.ts";
import { eventTypes, topics } from "../../src/topics.ts";

/** What the placeholder location of `npm start` makes of a request. */
const place = {
  country: "NL",
  region: "North Holland",
  city: "Amsterdam",
  continent: "EU",
  timezone: "Europe/Amsterdam",
  asn: 64496,
  cell: "85196953fffffff",
  colo: "AMS",
};

const relaySettings = { graceMs: 2_000, earlyBidWaitMs: 3_600_000, retentionMs: 604_800_000 };

/**
 * Records as Gavel's edge and relay write them, made by their own code, for a log that is filled
 * without them. All of one partition, whatever their keys.
 */
export class RecordFactory {
  readonly #partition: number;
  readonly #topicPrefix: string;
  readonly #source = "/credentials/backend";

  constructor(partition: number, topicPrefix = "") {
    this.#partition = partition;
    this.#topicPrefix = topicPrefix;
  }

  bid(itemId: string, bidderId: string, amount: number, timestamp: number): ProduceRecord {
    return this.#record(
      eventTypes.bidPlaced,
      itemId,
      { itemId, bidderId, amount, currency: "EUR" },
      timestamp,
    );
  }

  item(itemId: string, endsAt: number, timestamp: number): ProduceRecord {
    const terms = {
      itemId,
      sellerId: "seller-1",
      title: `Lot ${itemId}`,
      category: categoryOf(itemId),
      currency: "EUR",
    };
    const data = { ...terms, startingPrice: 100, endsAt: new Date(endsAt).toISOString() };
    return this.#record(eventTypes.itemListed, itemId, data, timestamp);
  }

  /** What the relay makes of an item at an offset of `auction.items`. */
  opening(item: ProduceRecord, offset: number): ProduceRecord {
    const listed: LogRecord = { ...item, offset };
    return openingOf(listed, relaySettings, {
      journal: topics.journal,
      source: `/groups/auction/${this.#partition}`,
    });
  }

  #record(type: ValidType, itemId: string, data: object, timestamp: number): ProduceRecord {
    const edge: Edge = { ...place, receivedAt: new Date(timestamp).toISOString(), credential: "backend" };
    const make = recordMaker({ edge, trace: newTrace(), topicPrefix: this.#topicPrefix, partitionCount: 1 });
    const event = {
      type,
      id: uuidv7(timestamp),
      source: this.#source,
      itemId,
      data,
      timestamp,
      extensions: [],
    };
    return { ...make(event).record, partition: this.#partition };
  }
}

type ValidType = typeof eventTypes.bidPlaced | typeof eventTypes.itemListed;

/** Ten categories, as Nexmark has. */
function categoryOf(itemId: string): string {
  return `category-${Number(/\d+$/.exec(itemId)?.[0] ?? 0) % 10}`;
}
