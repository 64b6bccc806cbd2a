import type { ProduceRecord, TopicPartitionOffset } from "../../src/kafka/port.ts";
import type { System } from "./system.ts";

/** Records of one produce: well below the bridge's limits of count and bytes. */
const recordsPerProduce = 5_000;

/** The bridge, spoken to directly. */
export class BridgeClient {
  readonly #url: string;
  readonly #topicPrefix: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(system: System) {
    this.#url = system.bridge.url;
    this.#topicPrefix = system.topicPrefix();
    this.#headers = { authorization: basicAuthorization(system), "content-type": "application/json" };
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#url}${path}`, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`the bridge answers ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Appends any number of records, in order. */
  async append(records: Iterable<ProduceRecord>): Promise<void> {
    let some: ProduceRecord[] = [];
    for (const record of records) {
      some.push(record);
      if (some.length < recordsPerProduce) continue;
      await this.#post("/produce", some);
      some = [];
    }
    if (some.length > 0) await this.#post("/produce", some);
  }

  /** End offset of each partition of a topic of the topology, in partition order. */
  async ends(name: string, partitions: number): Promise<number[]> {
    const topic = `${this.#topicPrefix}${name}`;
    const wanted = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const offsets = (await this.#post("/offsets/latest", wanted)) as TopicPartitionOffset[];
    return offsets.map(({ offset }) => offset);
  }
}

export function basicAuthorization({ credentials: { username, password } }: System): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}
