import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, Connection, requestMaker } from "./connection.ts";
import { bidBody, bidderOf, bidHeaders, itemBody } from "./events.ts";
import { expectStatus } from "./load.ts";

const itemsPerRequest = 1_000;

/** Lists items through the gateway, and waits until the last of each partition is open. */
export async function listItems(
  url: string,
  key: string,
  itemIds: readonly string[],
  endsAt: number,
): Promise<void> {
  const connection = await Connection.open(url);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const post = requestMaker("POST", `${url}/v1/items`, headers);
  const last = new Map<number, { readonly itemId: string; readonly after: string }>();
  for (let start = 0; start < itemIds.length; start += itemsPerRequest) {
    const some = itemIds.slice(start, start + itemsPerRequest);
    const bodies = some.map((itemId, index) => itemBody(itemId, endsAt, start + index));
    const answer = await untilAccepted(connection, post(`[${bodies.join(",")}]`));
    const { results } = JSON.parse(answer.body.toString()) as { results: Coordinates[] };
    for (const { index, topic, partition, offset } of results) {
      last.set(partition, { itemId: some[index] ?? "", after: `${topic}:${partition}:${offset}` });
    }
  }
  for (const { itemId, after } of last.values()) {
    await untilVisible(
      connection,
      requestMaker("GET", `${url}/v1/items/${itemId}?after=${after}`, headers)(""),
    );
  }
  connection.close();
}

interface Coordinates {
  readonly index: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Sends again while the answer is 503, as a client does; answers what came of it. */
export async function untilAccepted(
  connection: Connection,
  request: string,
  onRefusal: () => void = () => undefined,
): Promise<Answer> {
  for (;;) {
    const answer = await connection.send(request);
    if (answer.status !== 503) {
      expectStatus(answer, 202);
      return answer;
    }
    onRefusal();
    await sleep(20);
  }
}

/** Asks again while the answer is 503, which says that the record has not taken effect yet. */
async function untilVisible(connection: Connection, request: string): Promise<void> {
  for (;;) {
    const answer = await connection.send(request);
    if (answer.status !== 503) return expectStatus(answer, 200);
    await sleep(20);
  }
}

/** Makes single bids as requests, each of another bidder, on items in turn. */
export function bidRequests(url: string, key: string, itemCount: number): () => string {
  const post = requestMaker("POST", `${url}/v1/bids`, bidHeaders(`Bearer ${key}`));
  let count = 0;
  return () => {
    count += 1;
    return post(bidBody(`item-${count % itemCount}`, bidderOf(count), 100 + count));
  };
}
