import { eventTypes } from "../../../src/topics.ts";
import { Client, type ClientOptions } from "../../support/history/client.ts";
import type { ClientEvent, History } from "../../support/history/history.ts";

/** Enough that every partition has some. */
const sharedItems = 40;
/** Bids of the lister between two listings. */
const bidsPerListing = 7;
const longMs = 3_600_000;
/** Longer than any outage, so that no listing is refused for its end when it is sent again. */
const shortMs = 30_000;
const pauseMs = 40;
/** Events of one request of a backlog. */
const backlogBatch = 1_000;

/**
 * Clients that list and bid: some send single events, some batches; their keys are spread over all
 * partitions, and several bid on the same items.
 */
export class AuctionLoad {
  readonly #clients: Client[];
  readonly #listers: readonly Lister[];
  readonly #running: Promise<void>[] = [];

  constructor(history: History, target: ClientOptions["target"]) {
    const shared = sharedIds();
    const client = (name: string, batch: number, nextEvent: ClientOptions["nextEvent"]): Client =>
      new Client({ name, history, target, nextEvent, batch, pauseMs });
    this.#listers = [new Lister("lister-0", shared), new Lister("lister-1", [])];
    this.#clients = [
      ...this.#listers.map((lister, index) => client(lister.name, 1 + 9 * index, (id) => lister.next(id))),
      ...[1, 1, 10, 30].map((batch, index) => {
        const name = `bidder-${index}`;
        return client(name, batch, (id) => bidOn(pick(shared), id));
      }),
    ];
  }

  /** Begins to send. Rejects when a client cannot go on. */
  start(): void {
    this.#running.push(...this.#clients.map((client) => client.run()));
  }

  get running(): Promise<unknown> {
    return Promise.all(this.#running);
  }

  /** From now on no items are listed whose end would have to be waited for. */
  listNoMoreEndings(): void {
    for (const lister of this.#listers) lister.listsEndings = false;
  }

  /** Sends no new events. @returns once everything sent is decided. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.stop();
    await this.running;
  }
}

/** Places bids as fast as they are taken, so that a rebuild has something to read. */
export async function placeBacklog(
  history: History,
  target: ClientOptions["target"],
  events: number,
): Promise<void> {
  const shared = sharedIds();
  let left = events;
  const client: Client = new Client({
    name: "backlog",
    history,
    target,
    nextEvent: (id) => {
      left -= 1;
      if (left === 0) client.stop();
      return bidOn(pick(shared), id);
    },
    batch: backlogBatch,
    pauseMs: 0,
  });
  await client.run();
}

function sharedIds(): string[] {
  return Array.from({ length: sharedItems }, (_, index) => `shared-${index}`);
}

/** Lists items in turn with bids on them: every other one ends while the run lasts. */
class Lister {
  readonly name: string;
  listsEndings = true;
  readonly #first: string[];
  readonly #own: string[] = [];
  #count = 0;

  constructor(name: string, first: readonly string[]) {
    this.name = name;
    this.#first = [...first];
  }

  next(id: string): ClientEvent {
    const first = this.#first.shift();
    if (first !== undefined) return listing(first, id, longMs);
    if (this.#count++ % (bidsPerListing + 1) > 0) return bidOn(pick(this.#own), id);
    const isEnding = this.listsEndings && this.#own.length % 2 === 0;
    const itemId = `${isEnding ? "ending" : "open"}-${id}`;
    this.#own.push(itemId);
    return listing(itemId, id, isEnding ? shortMs : longMs);
  }
}

function listing(itemId: string, id: string, openMs: number): ClientEvent {
  const endsAt = new Date(Date.now() + openMs).toISOString();
  const terms = { sellerId: "grace", title: `Lot ${itemId}`, category: "furniture", currency: "EUR" };
  return { id, type: eventTypes.itemListed, data: { itemId, ...terms, startingPrice: 100, endsAt } };
}

let level = 100;

/** Rising on the whole, so that about as many bids stand as fall. */
function bidOn(itemId: string, id: string): ClientEvent {
  level += 1;
  const amount = Math.max(1, level - Math.floor(Math.random() * 150));
  const bidderId = `bidder-${Math.floor(Math.random() * 10)}`;
  return { id, type: eventTypes.bidPlaced, data: { itemId, bidderId, amount, currency: "EUR" } };
}

function pick(choices: readonly string[]): string {
  return choices[Math.floor(Math.random() * choices.length)] ?? "";
}
