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

/** Milliseconds from acknowledgement to start of those that started. */
export function waitsOf(
  acknowledged: Acknowledged,
  started: { readonly ids: readonly string[]; readonly times: readonly number[] },
): number[] {
  return started.ids.flatMap((id, index) => {
    const at = acknowledged.get(id);
    return at === undefined ? [] : [(started.times[index] ?? Number.NaN) - at];
  });
}
