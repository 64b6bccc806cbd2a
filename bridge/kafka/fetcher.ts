import type { ConnectionPool } from "@platformatic/kafka";
import type { PartitionRead, TopicPartitionOffset } from "../log.ts";
import { type Cluster, responseIn } from "./cluster.ts";
import { type CommittedRecord, committedRecords } from "./committed-records.ts";
import { errorName, failureFrom, failureFromCode } from "./errors.ts";
import type { OffsetLookup } from "./offset-lookup.ts";
import { withNewView } from "./retry.ts";

const READ_COMMITTED = 1;
/** Without a fetch session: each request says all that it wants, and each answer is whole. */
const NO_SESSION = 0;
const SESSIONLESS_EPOCH = -1;
/**
 * The least that is asked for of one of several partitions. A broker answers whole batches: one that
 * is larger than this comes only to a partition that stands first in its request.
 */
const LEAST_PARTITION_BYTES = 64 * 1024;
/** Of one answer of a broker, over all partitions. */
const MOST_BYTES = 8 * 1024 * 1024;

type Fetched = Awaited<ReturnType<Cluster["protocol"]["fetch"]["async"]>>;
type FetchedPartition = Fetched["responses"][number]["partitions"][number];

/** What was found at one position. */
export interface FetchedRun {
  readonly read: PartitionRead;
  readonly records: readonly CommittedRecord[];
}

/** A position with the broker that leads its partition. */
interface Place extends TopicPartitionOffset {
  readonly node: number;
  readonly topicId: string;
}

/** Fetches committed records at offsets from the partitions' leaders, without waiting. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #pool: ConnectionPool;
  readonly #lookup: OffsetLookup;

  constructor(cluster: Cluster, pool: ConnectionPool, lookup: OffsetLookup) {
    this.#cluster = cluster;
    this.#pool = pool;
    this.#lookup = lookup;
  }

  /** One run for each position, in order. @throws {LogFailure} */
  async fetch(positions: readonly TopicPartitionOffset[], maxBytes: number): Promise<FetchedRun[]> {
    await this.#cluster.known(positions.map(({ topic }) => topic));
    return withNewView(this.#cluster, () => this.#fetch(positions, maxBytes));
  }

  /**
   * Resolves when one of the positions may have records, or after `milliseconds`. The answer itself is
   * thrown away: it came over a connection on which nothing else may wait.
   * @param release called when every broker has answered. One that answers early ends the wait, and
   *   the others go on: a wait sent behind theirs would only begin when they end, and a reader that
   *   is woken often would pile them up beyond anyone's patience.
   */
  async wait(
    positions: readonly TopicPartitionOffset[],
    milliseconds: number,
    pool: ConnectionPool,
    release: () => void,
  ): Promise<void> {
    const waits: Promise<Fetched>[] = [];
    try {
      for (const [node, places] of Map.groupBy(this.#placesOf(positions), (place) => place.node)) {
        waits.push(this.#request(pool, node, places, { waitMs: milliseconds, partitionBytes: 1 }));
      }
      await Promise.race(waits);
    } finally {
      void Promise.allSettled(waits).then(release);
    }
  }

  #placesOf(positions: readonly TopicPartitionOffset[]): Place[] {
    return positions.map((position) => ({ ...position, ...this.#cluster.leaderOf(position) }));
  }

  async #fetch(positions: readonly TopicPartitionOffset[], maxBytes: number): Promise<FetchedRun[]> {
    const places = this.#placesOf(positions);
    // Several positions in one partition are several requests: a request names a partition once.
    const rounds = splitIntoRounds(turned(places));
    const share = Math.floor(maxBytes / places.length);
    const partitionBytes = Math.max(share, places.length === 1 ? 0 : LEAST_PARTITION_BYTES);
    const runs = new Map<Place, FetchedRun>();
    for (const round of rounds) {
      const nodes = Map.groupBy(round, ({ node }) => node);
      await Promise.all(
        [...nodes].map(async ([node, list]) => {
          const fetched = await this.#request(this.#pool, node, list, { waitMs: 0, partitionBytes });
          for (const place of list) runs.set(place, await this.#runOf(place, fetched, maxBytes));
        }),
      );
    }
    return places.map((place) => runs.get(place) as FetchedRun);
  }

  async #request(
    pool: ConnectionPool,
    node: number,
    places: readonly Place[],
    { waitMs, partitionBytes }: { readonly waitMs: number; readonly partitionBytes: number },
  ): Promise<Fetched> {
    const topics = [...Map.groupBy(places, ({ topicId }) => topicId)].map(([topicId, list]) => ({
      topicId,
      partitions: list.map(({ partition, offset }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: partitionBytes,
      })),
    }));
    const bytes = Math.min(MOST_BYTES, partitionBytes * places.length);
    try {
      const { fetch } = this.#cluster.protocol;
      const connection = await this.#cluster.connect(pool, node);
      const session = [NO_SESSION, SESSIONLESS_EPOCH] as const;
      return await fetch.async(connection, waitMs, 1, bytes, READ_COMMITTED, ...session, topics, [], "");
    } catch (error) {
      const response = responseIn(error);
      if (response !== undefined) return response as Fetched;
      throw failureFrom(error, "reading", "none");
    }
  }

  async #runOf(place: Place, fetched: Fetched, maxBytes: number): Promise<FetchedRun> {
    const found = fetched.responses
      .find(({ topicId }) => topicId === place.topicId)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === place.partition);
    const code = fetched.errorCode === 0 ? found?.errorCode : fetched.errorCode;
    const name = code === undefined ? "UNKNOWN_TOPIC_ID" : errorName(code);
    if (name === "OFFSET_OUT_OF_RANGE") return this.#outOfRange(place, maxBytes);
    if (found === undefined || code !== 0) {
      throw failureFromCode(code ?? 100, `${place.topic}/${place.partition}`, "none");
    }
    return runOf(place, found);
  }

  /** Before the log's start the first records that are left are answered; behind its end, none. */
  async #outOfRange(place: Place, maxBytes: number): Promise<FetchedRun> {
    const { topic, partition, topicId, offset } = place;
    const [[start], [end]] = await Promise.all([
      this.#lookup.find("earliest", [place]),
      this.#lookup.find("latest", [place]),
    ]);
    if (start !== undefined && offset < start.offset) {
      const [run] = await this.#fetch([{ topic, partition, offset: start.offset }], maxBytes);
      if (run !== undefined) return run;
    }
    const read = {
      topic,
      partition,
      topicId,
      next: offset,
      start: start?.offset ?? 0,
      end: end?.offset ?? 0,
    };
    return { read, records: [] };
  }
}

function runOf({ topic, partition, topicId, offset }: Place, found: FetchedPartition): FetchedRun {
  const { records, next } = committedRecords(found, offset);
  const start = Number(found.logStartOffset);
  return { read: { topic, partition, topicId, next, start, end: Number(found.lastStableOffset) }, records };
}

/** The same, beginning with another one each time: whichever stands first is answered for sure. */
function turned(places: readonly Place[]): Place[] {
  const start = Math.floor(Math.random() * places.length);
  return [...places.slice(start), ...places.slice(0, start)];
}

function splitIntoRounds(places: readonly Place[]): Place[][] {
  const rounds: Place[][] = [];
  const times = new Map<string, number>();
  for (const place of places) {
    const address = `${place.topic}/${place.partition}`;
    const round = times.get(address) ?? 0;
    times.set(address, round + 1);
    (rounds[round] ??= []).push(place);
  }
  return rounds;
}
