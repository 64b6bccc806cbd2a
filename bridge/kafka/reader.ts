import { setTimeout as sleep } from "node:timers/promises";
import type { PartitionRead, ReadRequest, ReadResult, TopicPartitionOffset } from "../log.ts";
import { answerPrefix, encodeAnswer } from "./answer-encoder.ts";
import type { FetchedRun, Fetcher } from "./fetcher.ts";
import type { WaitConnections } from "./wait-connections.ts";

/** One wait at a broker: after it the caller's patience and presence are looked at again. */
const SLICE_MS = 500;
/** How often a read that has no connection to wait on asks. */
const POLL_MS = 100;

/** Reads for the bridge's clients: at once where there are records, else as soon as some come. */
export class Reader {
  readonly #fetcher: Fetcher;
  readonly #waits: WaitConnections;

  constructor(fetcher: Fetcher, waits: WaitConnections) {
    this.#fetcher = fetcher;
    this.#waits = waits;
  }

  /** @throws {LogFailure} */
  async read({ positions, maxBytes, timeoutMs, signal }: ReadRequest): Promise<ReadResult> {
    const until = Date.now() + timeoutMs;
    let current: readonly TopicPartitionOffset[] = positions;
    for (;;) {
      const runs = await this.#fetcher.fetch(current, maxBytes);
      const remaining = until - Date.now();
      const hasRecords = runs.some(({ records }) => records.length > 0);
      if (hasRecords || remaining <= 0 || signal?.aborted === true) return answerOf(runs, maxBytes);
      const next = runs.map(({ read }) => ({
        topic: read.topic,
        partition: read.partition,
        offset: read.next,
      }));
      const hasMoved = next.some(({ offset }, index) => offset !== current[index]?.offset);
      current = next;
      // What was passed over (markers, aborted transactions) may have records right behind it.
      if (!hasMoved) await this.#wait(current, Math.min(remaining, SLICE_MS), signal);
    }
  }

  async #wait(
    positions: readonly TopicPartitionOffset[],
    milliseconds: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const pool = this.#waits.take();
    if (pool === undefined) {
      await sleep(Math.min(milliseconds, POLL_MS));
      return;
    }
    const waiting = this.#fetcher.wait(positions, milliseconds, pool, () => this.#waits.giveBack(pool));
    await Promise.race([waiting, aborted(signal)]);
    // A caller that is gone leaves its wait to the broker, which ends it soon.
    waiting.catch(() => undefined);
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Each position has an even share of what is left, and every call begins with another one, so that
 * neither a busy partition nor a large record starves the others for long.
 */
function answerOf(runs: readonly FetchedRun[], maxBytes: number): ReadResult {
  const start = Math.floor(Math.random() * runs.length);
  const records: Buffer[] = [];
  let total = 0;
  const partitions: PartitionRead[] = runs.map(({ read }) => read);
  let left = maxBytes;
  for (let turn = 0; turn < runs.length; turn++) {
    const index = (start + turn) % runs.length;
    const { read, records: found } = runs[index] as FetchedRun;
    if (found.length === 0) continue;
    const share = Math.floor(left / (runs.length - turn));
    const prefix = answerPrefix(read.topic, read.partition);
    const { bytes, count } = encodeAnswer(prefix, found, share, records.length === 0);
    if (count > 0) records.push(bytes);
    total += count;
    left -= bytes.length;
    partitions[index] = { ...read, next: found[count]?.offset ?? read.next };
  }
  return { records, count: total, partitions };
}
