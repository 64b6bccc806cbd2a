import { setTimeout as sleep } from "node:timers/promises";
import type { LocalFile } from "../local/home.ts";

/** Value of a `gavel.item.completed.v1` record, as far as the demo reads it. */
export interface Completed {
  readonly itemId: string;
  readonly outcome: "sold" | "unsold" | "withdrawn";
  /** Cents; absent when unsold. */
  readonly price?: number;
  /** Accepted bids. */
  readonly bids: number;
}

interface LogMessage {
  readonly offset: number;
  readonly value: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

/** Longest that the last completion may take after the clock has passed every end. */
const patienceMs = 60_000;

/**
 * Reads completed auctions from the log itself, over the bridge, until `expected` are there. No
 * state of the gateway takes part: what is not in the topic does not exist.
 * @throws {Error} when they do not come.
 */
export async function readCompleted(
  bridge: LocalFile["bridge"],
  topic: string,
  partitions: number,
  expected: number,
): Promise<Map<string, Completed>> {
  const completed = new Map<string, Completed>();
  const readers = Array.from(
    { length: partitions },
    (_, partition) => new CompletedReader(bridge, topic, partition),
  );
  const deadline = Date.now() + patienceMs;
  while (completed.size < expected) {
    const news = (await Promise.all(readers.map((reader) => reader.read()))).flat();
    for (const auction of news) completed.set(auction.itemId, auction);
    if (news.length > 0) continue;
    if (Date.now() > deadline) {
      throw new Error(`${completed.size} of ${expected} auctions have completed; no more come.`);
    }
    await sleep(50);
  }
  return completed;
}

class CompletedReader {
  readonly #bridge: LocalFile["bridge"];
  readonly #topic: string;
  readonly #partition: number;
  #offset = 0;
  /** Outputs may come twice; their sequence in the partition tells. */
  #sequence = -1;

  constructor(bridge: LocalFile["bridge"], topic: string, partition: number) {
    this.#bridge = bridge;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** What came since the last call, each once. */
  async read(): Promise<Completed[]> {
    const { url, username, password } = this.#bridge;
    const credentials = Buffer.from(`${username}:${password}`).toString("base64");
    const response = await fetch(`${url}/fetch`, {
      method: "POST",
      headers: { authorization: `Basic ${credentials}` },
      body: JSON.stringify({
        topic: this.#topic,
        partition: this.#partition,
        offset: this.#offset,
        timeout: 0,
      }),
    });
    if (!response.ok) throw new Error(`The log answers ${response.status}: ${await response.text()}`);
    const messages = (await response.json()) as LogMessage[];
    return messages
      .filter((message) => this.#isNew(message))
      .map(({ value }) => JSON.parse(value) as Completed);
  }

  #isNew({ offset, headers }: LogMessage): boolean {
    this.#offset = offset + 1;
    const sequence = Number(headers.find(({ key }) => key === "gavel_sequence")?.value);
    if (!(sequence > this.#sequence)) return false;
    this.#sequence = sequence;
    return true;
  }
}
