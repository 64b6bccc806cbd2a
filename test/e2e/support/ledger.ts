import { setTimeout as sleep } from "node:timers/promises";
import type { Accepted, BatchAnswer } from "./http.ts";

export const source = "/test/ledger";

/** A bid as the client knows it: sent under the same id until it is acknowledged. */
export interface ClientBid {
  readonly id: string;
  readonly itemId: string;
  readonly bidderId: string;
  readonly amount: number;
}

/** One acknowledgement: the system's word that this bid is in the log at this place. */
export interface Acknowledgement extends Accepted {
  readonly bid: ClientBid;
}

/**
 * What the system has said, kept outside of it: every acknowledgement that a client ever got. A
 * bid without one may be in the log, once or several times, or not at all; its sender does not
 * know and sends it again.
 */
export class Ledger {
  readonly acknowledged: Acknowledgement[] = [];
  /** Requests that ended without an answer, and answers that were not an acknowledgement. */
  readonly failures = { noAnswer: 0, unavailable: 0 };

  record(bid: ClientBid, accepted: Accepted): void {
    this.acknowledged.push({ ...accepted, bid });
  }
}

/** Between two requests of a client: load enough to be hit, little enough to read back whole. */
const pauseMs = 20;

/**
 * One client: places bids in batches, one request at a time, until it is told to stop, and then
 * sends what is unacknowledged until nothing is.
 */
export class Client {
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #target: () => { readonly url: string; readonly key: string };
  readonly #nextBid: (id: string) => ClientBid;
  readonly #batch: number;
  #count = 0;
  #stopped = false;

  constructor(options: {
    readonly name: string;
    readonly ledger: Ledger;
    /** Asked before each request, since a restart may have moved the gateway. */
    readonly target: () => { readonly url: string; readonly key: string };
    readonly nextBid: (id: string) => ClientBid;
    readonly batch: number;
  }) {
    this.#name = options.name;
    this.#ledger = options.ledger;
    this.#target = options.target;
    this.#nextBid = options.nextBid;
    this.#batch = options.batch;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    let left: ClientBid[] = [];
    while (!this.#stopped || left.length > 0) {
      while (!this.#stopped && left.length < this.#batch) {
        left.push(this.#nextBid(`${this.#name}-${this.#count++}`));
      }
      left = await this.#place(left);
    }
  }

  /** Sends a batch. @returns what is not acknowledged. */
  async #place(bids: readonly ClientBid[]): Promise<ClientBid[]> {
    const answer = await this.#post(bids);
    await sleep(pauseMs);
    if (answer === null) return [...bids];
    const left: ClientBid[] = [];
    for (const [index, bid] of bids.entries()) {
      const result = answer.results[index];
      if (result?.status === 202) this.#ledger.record(bid, result);
      else if (result?.status === 503) left.push(bid);
      else throw new Error(`bid ${bid.id} was answered ${JSON.stringify(result)}`);
    }
    return left;
  }

  /** The answer, or null when there was none or the log took nothing. */
  async #post(bids: readonly ClientBid[]): Promise<BatchAnswer | null> {
    const { url, key } = this.#target();
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/v1/events`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${key}`,
          "content-type": "application/cloudevents-batch+json",
        },
        body: JSON.stringify(bids.map(eventOf)),
        signal: AbortSignal.timeout(10_000),
      });
      text = await response.text();
    } catch {
      this.#ledger.failures.noAnswer += 1;
      return null;
    }
    if (response.status === 202 || response.status === 207) return JSON.parse(text) as BatchAnswer;
    if (response.status !== 503) throw new Error(`a batch was answered ${response.status}: ${text}`);
    this.#ledger.failures.unavailable += 1;
    return null;
  }
}

function eventOf({ id, ...data }: ClientBid): object {
  return {
    specversion: "1.0",
    id,
    source,
    type: "gavel.bid.placed.v1",
    datacontenttype: "application/json",
    data: { ...data, currency: "EUR" },
  };
}
