import { eventTypes, topics } from "../../src/topics.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { PlainModel } from "../faults/plain-model.ts";
import { viewOf } from "../faults/plain-views.ts";
import type { WholeLog } from "../support/history/checker.ts";
import { type Attempt, type ClientEvent, source, type Told } from "../support/history/history.ts";

const start = Date.UTC(2026, 0, 1);
const minute = 60_000;

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

/** Evidence that a test spoils. */
export interface WritableEvidence {
  attempts: Writable<Attempt>[];
  disturbances: { from: number; until: number }[];
  log: Record<keyof WholeLog, Writable<LogRecord>[][]>;
  items: Map<string, Record<string, unknown>>;
}

/** Ids of the run: a listing, three bids on the lamp, one of which is too low, and one on the vase. */
export const listingId = "listing-1";
export const bidIds = ["bid-1", "bid-2", "bid-3", "bid-4"] as const;

/**
 * A run in one partition in which all went well: the lamp was listed and bid on, sold and told; the
 * vase is open. Made anew for each test.
 */
export function goodRun(): WritableEvidence {
  const listings = [listing(listingId, "lamp"), listing("listing-2", "vase")];
  const bids = [
    bid(bidIds[0], "lamp", "ann", 100),
    bid(bidIds[1], "lamp", "ben", 150),
    bid(bidIds[2], "lamp", "ann", 120),
    bid(bidIds[3], "vase", "ann", 300),
  ];
  const items = listings.map((event, offset) => recordOf(event, topics.items, offset));
  const openings = items.map((item, offset) => openingOf(item, offset));
  const placed = bids.map((event, index) => recordOf(event, topics.journal, openings.length + index));
  const journal = [...openings, ...placed, tick(openings.length + placed.length)];
  const attempts = [...listings, ...bids].map((event, index) => ({
    client: "client-0",
    event,
    sentAt: start + 10 * index,
    endedAt: start + 10 * index + 5,
    told: acknowledged([...items, ...placed][index] as LogRecord),
  }));
  const evidence: WritableEvidence = {
    attempts,
    disturbances: [],
    log: { items: [items], journal: [journal], completed: [], notifications: [], deadLetters: [] },
    items: new Map(),
  };
  answerBy(evidence);
  return evidence;
}

/** Makes outputs and answers anew, from the journal as it is now: the system read what is there. */
export function answerBy(evidence: WritableEvidence): void {
  const model = PlainModel.of(evidence.log.journal[0] ?? []);
  for (const role of ["completed", "notifications", "deadLetters"] as const) {
    const outputs = model.outputs.filter(({ topic }) => topic === role);
    evidence.log[role] = [
      outputs.map(({ type, sequence, data }, offset) => ({
        topic: topics[role],
        partition: 0,
        offset,
        timestamp: start + 2 * minute,
        key: String(data["itemId"]),
        value: JSON.stringify(data),
        headers: [
          { key: "ce_type", value: type },
          { key: "gavel_sequence", value: String(sequence) },
        ],
      })),
    ];
  }
  const views = [...model.items.values()].map((item) => [item.opening.itemId, { ...viewOf(item, model) }]);
  evidence.items = new Map(views as [string, Record<string, unknown>][]);
}

export function acknowledged(record: LogRecord): Extract<Told, { readonly kind: "acknowledged" }> {
  const { topic, partition, offset } = record;
  const id = record.headers.find(({ key }) => key === "ce_id")?.value ?? "";
  return { kind: "acknowledged", id, topic, partition, offset };
}

/** The same record once more at a partition's end. */
export function appendCopy(partition: Writable<LogRecord>[], id: string): Writable<LogRecord> {
  const copy = { ...recordWith(partition, id), offset: partition.length };
  partition.push(copy);
  return copy;
}

export function recordWith(partition: readonly LogRecord[], id: string): Writable<LogRecord> {
  const found = partition.find(({ headers }) =>
    headers.some(({ key, value }) => key === "ce_id" && value === id),
  );
  if (found === undefined) throw new Error(`no record has the id ${id}`);
  return found;
}

function listing(id: string, itemId: string): ClientEvent {
  const endsAt = new Date(itemId === "lamp" ? start + minute : start + 60 * minute).toISOString();
  const terms = { itemId, sellerId: "grace", title: itemId, category: "furniture", currency: "EUR" };
  return { id, type: eventTypes.itemListed, data: { ...terms, startingPrice: 100, endsAt } };
}

function bid(id: string, itemId: string, bidderId: string, amount: number): ClientEvent {
  return { id, type: eventTypes.bidPlaced, data: { itemId, bidderId, amount, currency: "EUR" } };
}

const edge = { receivedAt: new Date(start + 2 * minute).toISOString(), credential: "backend" };

function recordOf(event: ClientEvent, topic: string, offset: number): LogRecord {
  return {
    topic,
    partition: 0,
    offset,
    timestamp: start + offset,
    key: event.data.itemId,
    value: JSON.stringify({ ...event.data, edge }),
    headers: [
      { key: "ce_id", value: event.id },
      { key: "ce_source", value: source },
      { key: "ce_type", value: event.type },
    ],
  };
}

function openingOf(item: LogRecord, offset: number): LogRecord {
  const settings = { graceMs: 2_000, earlyBidWaitMs: 3_600_000, retentionMs: 604_800_000 };
  const more = { itemsOffset: item.offset, listing: { source, id: `listing-${offset + 1}` }, rules: 1 };
  return {
    ...item,
    topic: topics.journal,
    offset,
    value: JSON.stringify({ ...(JSON.parse(item.value) as object), ...more, ...settings }),
    headers: [
      { key: "ce_id", value: `${item.topic}/0/${item.offset}` },
      { key: "ce_source", value: "/groups/auction/0" },
      { key: "ce_type", value: eventTypes.itemOpened },
    ],
  };
}

/** Late enough for the lamp to be sold. */
function tick(offset: number): LogRecord {
  return {
    topic: topics.journal,
    partition: 0,
    offset,
    timestamp: start + 2 * minute,
    key: "lamp",
    value: "{}",
    headers: [
      { key: "ce_id", value: "tick-1" },
      { key: "ce_source", value: "/groups/auction/0" },
      { key: "ce_type", value: eventTypes.tick },
    ],
  };
}
