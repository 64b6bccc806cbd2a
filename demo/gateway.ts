import { setTimeout as sleep } from "node:timers/promises";
import type { CloudEvent } from "./events.ts";

/** Most events that one request may carry. */
const batchSize = 1_000;
/** How often a batch is sent before the demo gives up; a log that is away comes back in seconds. */
const attempts = 10;

/** Where an event is in the log. */
export interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface BatchAnswer {
  readonly results: readonly BatchResult[];
}

type BatchResult = { readonly index: number; readonly status: number } & (
  | ({ readonly status: 202 } & Coordinates)
  | { readonly code: string; readonly detail: string }
);

/** The gateway's HTTP interface, as far as the demo needs it. */
export class Gateway {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /**
   * Publishes events in their order, batch after batch, and says how many are through.
   * @returns the coordinates of each.
   * @throws {Error} when an event is refused, or the log stays away.
   */
  async publish(
    events: readonly CloudEvent[],
    progress: (published: number) => void,
  ): Promise<Coordinates[]> {
    const placed: Coordinates[] = [];
    for (let start = 0; start < events.length; start += batchSize) {
      placed.push(...(await this.#publishBatch(events.slice(start, start + batchSize))));
      progress(placed.length);
    }
    return placed;
  }

  /**
   * What the log did not take is sent again, in order. That changes no outcome: what fails of a
   * partition is the end of its part, and an event that did get through is applied once.
   */
  async #publishBatch(events: readonly CloudEvent[]): Promise<Coordinates[]> {
    const placed: Coordinates[] = [];
    let left = events.map((event, place) => ({ event, place }));
    for (let attempt = 1; left.length > 0; attempt++) {
      const results = await this.#post(left.map(({ event }) => event));
      const failed: typeof left = [];
      for (const [index, sent] of left.entries()) {
        const result = results?.[index];
        if (result !== undefined && "offset" in result) placed[sent.place] = result;
        else if (result === undefined || result.status === 503) failed.push(sent);
        else throw new Error(`${sent.event.id} was refused: ${result.code}, ${result.detail}`);
      }
      left = failed;
      if (left.length > 0 && attempt === attempts) throw new Error("The log stays away.");
      if (left.length > 0) await sleep(1_000);
    }
    return placed;
  }

  /** Results by index, or null when the log took nothing. */
  async #post(events: readonly CloudEvent[]): Promise<readonly BatchResult[] | null> {
    const response = await fetch(`${this.#url}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${this.#key}`,
        "content-type": "application/cloudevents-batch+json",
      },
      body: JSON.stringify(events),
    });
    const text = await response.text();
    if (response.status === 503) return null;
    if (![202, 207, 422].includes(response.status)) throw new Error(`${response.status}: ${text}`);
    return (JSON.parse(text) as BatchAnswer).results;
  }

  /** Status of an item as soon as the record at `after` has taken effect. */
  async itemStatus(itemId: string, after: Coordinates): Promise<string> {
    const place = `${after.topic}:${after.partition}:${after.offset}`;
    const item = await this.#get(`/v1/items/${itemId}?after=${encodeURIComponent(place)}`);
    return (item as { readonly status: string }).status;
  }

  /** All bids of an item, oldest first. */
  async bidsOf(itemId: string): Promise<JudgedBid[]> {
    const newestFirst: JudgedBid[] = [];
    for (let next: number | undefined = Infinity; next !== undefined;) {
      const before: string = Number.isFinite(next) ? `&before=${next}` : "";
      const page = (await this.#get(`/v1/items/${itemId}/bids?limit=100${before}`)) as BidsPage;
      newestFirst.push(...page.bids);
      next = page.next;
    }
    return newestFirst.toReversed();
  }

  async #get(path: string): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(this.#url + path, {
        headers: { authorization: `Bearer ${this.#key}` },
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text);
      if (response.status !== 503 || attempt === attempts) {
        throw new Error(`GET ${path} answers ${response.status}: ${text}`);
      }
      await sleep(200);
    }
  }
}

/** A bid as Gavel judged it. `at` is RFC 3339. */
export interface JudgedBid {
  readonly bidderId: string;
  readonly amount: number;
  readonly at: string;
  readonly outcome: "accepted" | "rejected";
  readonly reason?: string;
}

interface BidsPage {
  readonly bids: readonly JudgedBid[];
  readonly next?: number;
}
