import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import type {
  FetchAnswer,
  KafkaLog,
  LogRecord,
  ProduceRecord,
  ProduceResult,
  TopicPartition,
  TopicPartitionOffset,
} from "../../src/kafka/port.ts";
import { topics } from "../../src/topics.ts";
import { RecordFactory } from "../harness/records.ts";

const recordsPerFetch = 1_000;
/** Coprime to every number of items here: consecutive bids fall on different items. */
const stride = 7_919;
const bidders = 50_000;
const eventsPerMillisecond = 50;
const hour = 60 * 60 * 1000;
const auctionMs = 24 * hour;

/**
 * A journal that is made in memory before it is read, and outputs that are acknowledged at once.
 * What is measured over it is the object alone: state, storage and outbox.
 */
export class SyntheticLog implements KafkaLog {
  readonly #factory = new RecordFactory(0);
  #startedAt = Date.now() - hour;
  readonly #ends = new Map<string, number>();
  /** Records from `#first` on; older ones were read and are forgotten. */
  #journal: LogRecord[] = [];
  #first = 0;
  #items = 0;
  #bids = 0;

  /** Goes on where the object is: the log is lost whenever the runtime evicts an idle object. */
  resume({ journal, items, streamTime }: PartitionStatus): void {
    if (journal.position === 0) return;
    this.#first = journal.position;
    this.#items = items.position;
    this.#bids = journal.position - items.position;
    this.#startedAt = streamTime - Math.floor(journal.position / eventsPerMillisecond);
  }

  openItems(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const time = this.#now();
      const item = this.#factory.item(`item-${this.#items}`, time + auctionMs, time);
      this.#append(this.#factory.opening(item, this.#items));
      this.#items += 1;
    }
  }

  /** Bids in turn on every item, each above the last one. */
  placeBids(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#bids += 1;
      const item = `item-${(this.#bids * stride) % this.#items}`;
      const bidder = `bidder-${(this.#bids * stride) % bidders}`;
      this.#append(this.#factory.bid(item, bidder, 100 + this.#bids, this.#now()));
    }
  }

  #now(): number {
    return this.#startedAt + Math.floor((this.#items + this.#bids) / eventsPerMillisecond);
  }

  #append(record: ProduceRecord): void {
    this.#journal.push({ ...record, offset: this.#first + this.#journal.length });
  }

  fetch({ topic, offset }: TopicPartitionOffset): Promise<FetchAnswer> {
    if (topic !== topics.journal) return Promise.resolve({ records: [] });
    const from = offset - this.#first;
    const records = this.#journal.slice(from, from + recordsPerFetch);
    if (records.length === 0) this.#forget();
    return Promise.resolve({ records });
  }

  #forget(): void {
    this.#first += this.#journal.length;
    this.#journal = [];
  }

  produce(records: readonly ProduceRecord[]): Promise<readonly ProduceResult[]> {
    return Promise.resolve(
      records.map(({ topic, timestamp }) => {
        const offset = this.#ends.get(topic) ?? 0;
        this.#ends.set(topic, offset + 1);
        return { ok: true, offset, timestamp };
      }),
    );
  }

  offsets(
    _: "earliest" | "latest",
    partitions: readonly TopicPartition[],
  ): Promise<readonly TopicPartitionOffset[]> {
    return Promise.resolve(
      partitions.map(({ topic, partition }) => ({ topic, partition, offset: this.#endOf(topic) })),
    );
  }

  #endOf(topic: string): number {
    if (topic === topics.journal) return this.#first + this.#journal.length;
    return topic === topics.items ? this.#items : (this.#ends.get(topic) ?? 0);
  }

  topics(): Promise<Readonly<Record<string, number>>> {
    return Promise.resolve(Object.fromEntries(Object.values(topics).map((topic) => [topic, 1])));
  }
}
