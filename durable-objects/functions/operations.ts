import { longestReason } from "../../src/functions/batch.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import type { DeadLetterEntry } from "./dead-letter-index.ts";
import type { ParkedEntry, ParkedPlace } from "./delivery-store.ts";
import type { GroupState } from "./group-state.ts";
import type { Redriven } from "./rpc.ts";

/** Dead letters that one call takes back at most. */
const maximumRedriven = 500;
const fetchTimeoutMs = 10_000;

export interface OperationsHost {
  /** As named in the log. */
  readonly topic: string;
  readonly state: GroupState;
  /** Something may be called or read that could not before. */
  onChanged(): void;
}

/** What an operator may do to a group of functions on one partition. Every change is stored when its answer is given. */
export class GroupOperations {
  private readonly dependencies: PartitionDependencies;
  private readonly host: OperationsHost;

  constructor(dependencies: PartitionDependencies, host: OperationsHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  private get now(): number {
    return this.dependencies.clock.now();
  }

  /** Paused, it calls nothing and reads nothing; calls under way end. It stays so until it is resumed. */
  setPaused(isPaused: boolean): void {
    const { state } = this.host;
    state.update({ isPaused });
    state.commit();
    this.host.onChanged();
  }

  /** @param after only those behind it */
  parked(limit: number, after?: ParkedPlace): ParkedEntry[] {
    this.host.state.commit();
    return this.host.state.store.parked(limit, after);
  }

  /** Has all that is parked of a key called as soon as may be. Answers how many records. */
  retry(key: string): number {
    return this.ofKey(key, (name, { offset }) => {
      const delivery = this.host.state.deliveries.get(name);
      return delivery?.retryNow(offset, this.now) ?? false;
    });
  }

  /** Ends what is parked of a key as dead letters. Answers how many records. */
  skip(key: string): number {
    const { state } = this.host;
    return this.ofKey(key, (name, { error, offset }) => {
      const record = state.store.recordOf(name, offset);
      return state.deliveries.get(name)?.skip(offset, record, skippedAfter(error), this.now) ?? false;
    });
  }

  private ofKey(key: string, operate: (name: string, entry: ParkedEntry) => boolean): number {
    const { state } = this.host;
    state.commit();
    const entries = state.store.parkedOf(key);
    const count = entries.filter((entry) => operate(entry.function, entry)).length;
    state.commit();
    this.host.onChanged();
    return count;
  }

  deadLetters(limit: number, before?: number): DeadLetterEntry[] {
    return this.host.state.deadLetters.newest(limit, before);
  }

  /**
   * Takes dead letters back, in offset order, as many as there is room for. Their records come from
   * the log; what the log has deleted stays a dead letter. A log that fails ends it early.
   * @throws {LogError} where nothing was taken back
   */
  async redrive(ids: readonly number[] | "all"): Promise<Redriven> {
    const { state } = this.host;
    const find = this.finder();
    let redriven = 0;
    for (const entry of this.wanted(ids)) {
      let record: LogRecord | undefined;
      try {
        record = await find(entry.offset);
      } catch (error) {
        if (redriven === 0) throw error;
        break;
      }
      // Meanwhile another call may have taken it back, or the state been read again.
      if (record === undefined || state.deadLetters.find(entry.id) === undefined) continue;
      const delivery = state.deliveries.get(entry.function);
      if (delivery?.takeBack(record, entry.redriven + 1, this.now) !== true) continue;
      state.commit(() => state.deadLetters.remove(entry.id));
      redriven += 1;
    }
    this.host.onChanged();
    return { redriven, left: state.deadLetters.count };
  }

  private wanted(ids: readonly number[] | "all"): DeadLetterEntry[] {
    const index = this.host.state.deadLetters;
    if (ids === "all") return index.oldest(maximumRedriven);
    const found = [...new Set(ids)].flatMap((id) => index.find(id) ?? []);
    return found.sort((left, right) => left.offset - right.offset);
  }

  /** Records by offset, from the log: it answers a stretch at a time, which the next ones may lie in. */
  private finder(): (offset: number) => Promise<LogRecord | undefined> {
    const { clock, log, partition } = this.dependencies;
    const { topic } = this.host;
    let stretch: readonly LogRecord[] = [];
    return async (offset) => {
      const isIn = (stretch[0]?.offset ?? Infinity) <= offset && offset <= (stretch.at(-1)?.offset ?? -1);
      if (!isIn) {
        const place = { topic, partition, offset };
        stretch = (await log.fetch(place, clock.now() + fetchTimeoutMs)).records;
      }
      return stretch.find((record) => record.offset === offset);
    };
  }
}

/** What it failed with goes on being told; one that only waited behind another of its key has no error. */
function skippedAfter(error: string): string {
  const reason = "skipped by an operator";
  return (error === "" ? reason : `${reason}; last: ${error}`).slice(0, longestReason);
}
