/**
 * What the world writes in one run: listings, bids and withdrawals of 20 items over both topics,
 * with early and late bids, repeated events, records nobody can read, and clocks that disagree.
 */
import { eventTypes } from "../../src/topics.ts";
import type { BidData, Edge, ItemTerms } from "../../src/auction/events.ts";
import type { RecordHeader } from "../../src/kafka/port.ts";
import type { Random } from "./random.ts";

export interface Event {
  readonly topic: "items" | "journal";
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** Events of one topic that one request writes together at a moment of the run. */
export interface Write {
  /** Milliseconds from the run's start. */
  readonly at: number;
  readonly events: readonly Event[];
}

/**
 * - `live`: events carry the time of their acceptance.
 * - `trusted`: a backfill sets the time of every event, and sends the ticks itself.
 * - `mixed`: both on one partition.
 */
export type ClockKind = "live" | "trusted" | "mixed";

export interface Script {
  readonly clock: ClockKind;
  readonly writes: readonly Write[];
  /** Events that are written twice. */
  readonly repeated: number;
}

const itemCount = 20;
const bidCount = 200;
const bidders = Array.from({ length: 8 }, (_, index) => `bidder-${index}`);

export function drawScript(random: Random, startsAt: number): Script {
  return new ScriptWriter(random, startsAt).write();
}

interface Planned {
  readonly at: number;
  readonly event: Event;
}

class ScriptWriter {
  readonly #random: Random;
  readonly #startsAt: number;
  readonly #clock: ClockKind;
  /** Length of the writing in milliseconds of the virtual clock: a burst, or with pauses. */
  readonly #length: number;
  /** How many times as fast as the virtual clock a backfill's own clock runs. */
  readonly #speed: number;
  /** Over which part of the run items are listed: mostly at once, as backfills do, or all along. */
  readonly #listingSpan: number;
  readonly #planned: Planned[] = [];
  #ids = 0;
  #repeated = 0;

  constructor(random: Random, startsAt: number) {
    this.#random = random;
    this.#startsAt = startsAt;
    this.#clock = random.pick(["live", "live", "live", "trusted", "mixed"]);
    this.#length = random.pick([4_000, 40_000, 40_000]);
    this.#listingSpan = random.pick([0.05, 0.6]);
    // In an hour to the second, a run is long enough for items to be forgotten.
    this.#speed = this.#clock === "trusted" ? random.pick([60, 3_600]) : 1;
  }

  write(): Script {
    const random = this.#random;
    const listings = Array.from({ length: itemCount }, (_, index) => this.#list(index));
    for (const { terms, at } of listings) if (random.chance(0.15)) this.#withdraw(terms, at);
    for (let count = 0; count < bidCount; count += 1) {
      // A square prefers the first items, so that some are hot.
      const listing = listings[Math.floor(random.unit() ** 2 * itemCount)];
      if (listing !== undefined) this.#bid(listing.terms, listing.at);
    }
    for (let count = 0; count < 3; count += 1) this.#strayBid();
    for (let count = 0; count < 4; count += 1) this.#unreadable();
    this.#repeatSome();
    if (this.#clock !== "live") this.#ticks();
    return { clock: this.#clock, writes: this.#intoWrites(), repeated: this.#repeated };
  }

  #list(index: number): { terms: ItemTerms; at: number } {
    const random = this.#random;
    const at = random.integer(0, this.#length * this.#listingSpan);
    const lasts = random.integer(2_000, random.chance(0.2) ? 4 * this.#length : this.#length);
    // Whole seconds, so that several items are due at one moment.
    const end = Math.ceil(this.#timeOf(at + lasts) / 1_000) * 1_000;
    const startingPrice = random.integer(1, 50) * 10;
    const terms: ItemTerms = {
      itemId: `item-${index}`,
      sellerId: `seller-${index % 5}`,
      title: `Item ${index}: “Größe” 🎲`,
      category: random.pick(["toys", "books", "art"]),
      currency: random.pick(["EUR", "EUR", "USD"]),
      startingPrice,
      endsAt: new Date(end).toISOString(),
      ...(random.chance(0.3) && { reserve: startingPrice + random.integer(0, 300) }),
      ...(random.chance(0.3) && { increment: random.integer(1, 20) }),
      ...(random.chance(0.25) && {
        startsAt: new Date(this.#timeOf(at + lasts * random.unit() * 0.5)).toISOString(),
      }),
      ...(random.chance(0.3) && { attributes: { colour: "red", size: index, used: true } }),
    };
    this.#plan(at, "items", eventTypes.itemListed, terms.itemId, terms);
    // Listed once more, with other terms: ignored.
    if (random.chance(0.4)) {
      const again = { ...terms, title: "again", startingPrice: 1 };
      const later = at + random.integer(0, this.#length / 2);
      this.#plan(later, "items", eventTypes.itemListed, terms.itemId, again);
    }
    return { terms, at };
  }

  #bid(terms: ItemTerms, listedAt: number): void {
    const random = this.#random;
    const early = random.chance(0.12);
    const span = Math.max(1, this.#momentOf(terms.endsAt) - listedAt);
    const progress = random.unit() * 1.1;
    const at = early
      ? random.integer(0, listedAt)
      : Math.min(this.#length, random.chance(0.07) ? this.#length : listedAt + progress * span);
    const bidderId = random.chance(0.03) ? terms.sellerId : random.pick(bidders);
    const data: BidData = {
      itemId: terms.itemId,
      bidderId,
      // Rises with time as bids do, so that about half of them are accepted.
      amount: Math.max(1, Math.round(terms.startingPrice + 400 * progress + random.integer(-60, 60))),
      currency: random.chance(0.03) ? "JPY" : terms.currency,
      ...(random.chance(0.2) && { bidId: `bid-${random.integer(0, 1e6)}` }),
    };
    const subject = random.chance(0.5) ? bidderId : undefined;
    this.#plan(at, "journal", eventTypes.bidPlaced, data.itemId, data, subject);
  }

  #withdraw(terms: ItemTerms, listedAt: number): void {
    const random = this.#random;
    const at = Math.max(0, listedAt + random.integer(-2_000, 15_000));
    const subject = random.pick([undefined, terms.sellerId, "somebody-else"]);
    const data = { itemId: terms.itemId, reason: "sold elsewhere" };
    this.#plan(at, "journal", eventTypes.itemWithdrawn, terms.itemId, data, subject);
  }

  /** A bid for an item that is never listed. */
  #strayBid(): void {
    const random = this.#random;
    const itemId = `nowhere-${random.integer(0, 1)}`;
    const data: BidData = { itemId, bidderId: random.pick(bidders), amount: 100, currency: "EUR" };
    this.#plan(random.integer(0, this.#length), "journal", eventTypes.bidPlaced, itemId, data);
  }

  #unreadable(): void {
    const random = this.#random;
    const at = random.integer(0, this.#length);
    const topic = random.pick(["items", "journal", "journal"] as const);
    const event = this.#event(at, topic, eventTypes.bidPlaced, "item-0", { itemId: "item-0" });
    const broken = random.pick([
      event,
      { ...event, value: "{ this is not JSON" },
      { ...event, value: "[]" },
      { ...event, value: "null" },
      { ...event, headers: [] },
      { ...event, headers: event.headers.filter(({ key }) => key !== "ce_type") },
    ]);
    this.#planned.push({ at, event: broken });
  }

  /** Clients that got no answer send their event again, and the edge accepts it again. */
  #repeatSome(): void {
    const random = this.#random;
    for (const { at, event } of [...this.#planned]) {
      const edge = /"receivedAt":"([^"]+)"/.exec(event.value)?.[1];
      if (event.topic !== "journal" || edge === undefined || !random.chance(0.08)) continue;
      const later = Math.min(this.#length, at + random.integer(0, random.chance(0.3) ? this.#length : 3_000));
      const accepted = Math.floor(this.#startsAt + later);
      const isTrusted = Date.parse(edge) !== event.timestamp;
      const value = event.value.replace(edge, new Date(accepted).toISOString());
      const timestamp = isTrusted ? event.timestamp : accepted;
      this.#planned.push({ at: later, event: { ...event, value, timestamp } });
      this.#repeated += 1;
    }
  }

  #ticks(): void {
    for (let at = 0; at <= this.#length; at += 8_000) {
      this.#plan(at, "journal", eventTypes.tick, "item-0", {});
    }
    // One more closes what the backfill has left open, or half of it.
    if (this.#clock !== "trusted") return;
    const at = this.#length * this.#random.pick([1.2, 6]);
    this.#plan(at, "journal", eventTypes.tick, "item-0", {});
  }

  #plan(
    at: number,
    topic: Event["topic"],
    type: string,
    itemId: string,
    data: object,
    subject?: string,
  ): void {
    this.#planned.push({ at, event: this.#event(at, topic, type, itemId, data, subject) });
  }

  #event(
    at: number,
    topic: Event["topic"],
    type: string,
    itemId: string,
    data: object,
    subject?: string,
  ): Event {
    const random = this.#random;
    const trusted = this.#clock === "trusted" || (this.#clock === "mixed" && random.chance(0.3));
    // Edges accept at slightly different times and reach the log in another order.
    const accepted = Math.floor(this.#startsAt + at - random.delay(random.chance(0.1) ? 130 : 30));
    const timestamp = trusted ? this.#timeOf(at) - random.delay(2_000) : accepted;
    const edge: Edge = {
      receivedAt: new Date(accepted).toISOString(),
      credential: random.pick(["backend", "client"]),
      ...(subject !== undefined && { subject }),
      ...(random.chance(0.8) && { country: random.pick(["DE", "TR", "US"]) }),
      ...(random.chance(0.7) && { cell: random.pick(["851e9003fffffff", "85283473fffffff"]) }),
    };
    this.#ids += 1;
    const headers: Record<string, string> = {
      ce_specversion: "1.0",
      // A few ids come twice for different items or bidders: events are the same only with all.
      ce_id: random.chance(0.05) ? "shared" : `event-${this.#ids}`,
      ce_source: `/credentials/${edge.credential}`,
      ce_type: type,
      ce_time: new Date(timestamp).toISOString(),
      ce_subject: itemId,
      "content-type": "application/json",
    };
    return {
      topic,
      key: itemId,
      value: JSON.stringify({ ...data, edge }),
      timestamp,
      headers: Object.entries(headers).map(([key, value]) => ({ key, value })),
    };
  }

  /** The time that an event at this moment of the run is about. */
  #timeOf(moment: number): number {
    const base = this.#clock === "trusted" ? this.#startsAt - 1_000_000_000 : this.#startsAt;
    return Math.floor(base + moment * this.#speed);
  }

  #momentOf(time: string): number {
    return (Date.parse(time) - this.#timeOf(0)) / this.#speed;
  }

  /** Puts what is written at nearly the same time into requests of one topic. */
  #intoWrites(): Write[] {
    const sorted = this.#planned.toSorted((one, other) => one.at - other.at);
    const writes: { at: number; events: Event[] }[] = [];
    const open = new Map<string, { at: number; events: Event[] }>();
    for (const { at, event } of sorted) {
      const write = open.get(event.topic);
      if (write !== undefined && at - write.at < 3_000 && this.#random.chance(0.5)) {
        write.events.push(event);
        write.at = at;
        continue;
      }
      const started = { at, events: [event] };
      writes.push(started);
      if (this.#random.chance(0.3)) open.set(event.topic, started);
      else open.delete(event.topic);
    }
    return writes;
  }
}
