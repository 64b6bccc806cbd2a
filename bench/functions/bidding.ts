import { setTimeout as sleep } from "node:timers/promises";
import { Connection, requestMaker } from "../harness/connection.ts";
import { bidBody, bidderOf } from "../harness/events.ts";
import { expectStatus, openLoop } from "../harness/load.ts";

/** How long a bid that was answered 503 waits before it is sent again. */
const refusedMs = 200;

/** When the records of a run were acknowledged, in milliseconds since the epoch, by `{partition}/{offset}`. */
export type Acknowledged = ReadonlyMap<string, number>;

/** Sends single bids at an even rate, whatever their answers take. */
export class Bidder {
  readonly #url: string;
  readonly #post: (body: string) => string;
  readonly #itemOf: (bid: number) => string;
  readonly #idle: Connection[] = [];
  #bids = 0;

  constructor(url: string, key: string, itemOf: (bid: number) => string) {
    this.#url = url;
    this.#itemOf = itemOf;
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    this.#post = requestMaker("POST", `${url}/v1/bids`, headers);
  }

  async run(perSecond: number, seconds: number): Promise<Acknowledged> {
    const acknowledged = new Map<string, number>();
    await openLoop(perSecond, Math.round(perSecond * seconds), () => this.#bid(acknowledged));
    return acknowledged;
  }

  async #bid(acknowledged: Map<string, number>): Promise<void> {
    this.#bids += 1;
    const itemId = this.#itemOf(this.#bids);
    const request = this.#post(bidBody(itemId, bidderOf(this.#bids), 100 + this.#bids));
    // On a connection that is free, or a new one: an answer that is late delays no other request.
    const connection = this.#idle.pop() ?? (await Connection.open(this.#url));
    let answer = await connection.send(request);
    while (answer.status === 503) {
      // An overload that every refused bid comes back to at once would not end.
      await sleep(refusedMs);
      answer = await connection.send(request);
    }
    const at = performance.timeOrigin + performance.now();
    this.#idle.push(connection);
    expectStatus(answer, 202);
    const { offset, partition } = JSON.parse(answer.body.toString()) as { offset: number; partition: number };
    acknowledged.set(`${partition}/${offset}`, at);
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }
}

/** Between two looks at what has started, and how long the last one is waited for. */
const lookMs = 100;
const patienceMs = 60_000;

/** What was called, and when; columns. */
export interface Starts {
  readonly ids: readonly string[];
  readonly times: readonly number[];
}

/**
 * Milliseconds from acknowledgement to start of every record that was acknowledged: what comes late
 * is what a percentile is about, so that the last one is waited for.
 * @param take what has started since it was last asked
 * @throws {Error} when one does not come
 */
export async function allWaits(acknowledged: Acknowledged, take: () => Promise<Starts>): Promise<number[]> {
  const missing = new Set(acknowledged.keys());
  const waits: number[] = [];
  for (const end = performance.now() + patienceMs; missing.size > 0; await sleep(lookMs)) {
    const { ids, times } = await take();
    for (const [index, id] of ids.entries()) {
      const at = acknowledged.get(id);
      // One that comes again has begun before.
      if (at === undefined || !missing.delete(id)) continue;
      waits.push((times[index] ?? Number.NaN) - at);
    }
    if (missing.size > 0 && performance.now() > end)
      throw new Error(`${missing.size} of ${acknowledged.size} acknowledged records did not come`);
  }
  return waits;
}
