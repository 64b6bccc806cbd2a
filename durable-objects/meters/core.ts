import type { Clock } from "../../src/lib/clock.ts";
import type { Counts } from "../../src/metrics/request-metrics.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";
import { type Heard, isNew } from "./heard.ts";
import type { MeterAnswer, MeterBatch, MetersRpc } from "./rpc.ts";

/** A row at most in so long: rows are the price list's heaviest line. */
const writeEveryMs = 10_000;
/** Of an isolate that is silent for so long nothing comes any more. */
const forgottenAfterMs = 3_600_000;
const mostIsolates = 5_000;
/** Labels are closed sets; this holds whatever a later version counts. */
const mostCounts = 10_000;
/** Isolates that were heard of within it share the object's time: each hands over less often, the more there are. */
const activeMs = 60_000;
const shortestWaitMs = 5_000;
const longestWaitMs = 60_000;
const waitMsPerIsolate = 10;

interface Stored {
  readonly counts: Record<string, number>;
  readonly isolates: Record<string, Heard>;
}

const schema = [[`CREATE TABLE meters (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)`]];

export interface MetersDependencies {
  readonly storage: PartitionStorage;
  readonly clock: Clock;
}

/**
 * Adds up what the isolates count. Kept in memory and written as one row now and then: what is lost
 * where the object ends between two writes is the last seconds. Nothing that was told is lost: a
 * counter that falls back would pass for one that began anew, and its whole height be counted again.
 */
export class MetersCore implements MetersRpc {
  private readonly dependencies: MetersDependencies;
  private readonly counts: Map<string, number>;
  private readonly isolates: Map<string, Heard>;
  private writtenAt = Number.NEGATIVE_INFINITY;
  private isChanged = false;
  private isWritePlanned = false;

  constructor(dependencies: MetersDependencies) {
    const { storage } = dependencies;
    this.dependencies = dependencies;
    migrate(storage, schema);
    const [row] = storage.all<{ state: string }>(`SELECT state FROM meters`);
    const stored = row === undefined ? { counts: {}, isolates: {} } : (JSON.parse(row.state) as Stored);
    this.counts = new Map(Object.entries(stored.counts));
    this.isolates = new Map(Object.entries(stored.isolates));
  }

  add(isolate: string, batches: readonly MeterBatch[]): Promise<MeterAnswer> {
    const heard = this.isolates.get(isolate) ?? { upTo: 0, beyond: [], at: 0 };
    heard.at = this.dependencies.clock.now();
    // The newest is last, so that the first ones are those to be forgotten.
    this.isolates.delete(isolate);
    this.isolates.set(isolate, heard);
    for (const { counts, sequence } of batches) if (isNew(heard, sequence)) this.addUp(counts);
    this.isChanged = true;
    this.writeSoon();
    return Promise.resolve({ waitMs: this.waitMs });
  }

  private addUp(counts: Counts): void {
    for (const [name, count] of Object.entries(counts)) {
      const before = this.counts.get(name);
      if (before === undefined && this.counts.size >= mostCounts) continue;
      this.counts.set(name, (before ?? 0) + count);
    }
  }

  private get waitMs(): number {
    const now = this.dependencies.clock.now();
    let active = 0;
    for (const { at } of this.isolates.values()) if (at > now - activeMs) active += 1;
    return Math.min(longestWaitMs, Math.max(shortestWaitMs, active * waitMsPerIsolate));
  }

  totals(): Promise<Counts> {
    if (this.isChanged) this.write();
    return Promise.resolve(Object.fromEntries(this.counts));
  }

  private writeSoon(): void {
    const { clock } = this.dependencies;
    const dueInMs = this.writtenAt + writeEveryMs - clock.now();
    if (dueInMs <= 0) return this.write();
    if (this.isWritePlanned) return;
    this.isWritePlanned = true;
    void clock.sleep(dueInMs).then(() => {
      this.isWritePlanned = false;
      if (this.isChanged) this.writeSoon();
    });
  }

  private write(): void {
    const { clock, storage } = this.dependencies;
    this.forget(clock.now() - forgottenAfterMs);
    const state: Stored = {
      counts: Object.fromEntries(this.counts),
      isolates: Object.fromEntries(this.isolates),
    };
    storage.run(`INSERT OR REPLACE INTO meters (id, state) VALUES (1, ?)`, JSON.stringify(state));
    this.writtenAt = clock.now();
    this.isChanged = false;
  }

  private forget(before: number): void {
    for (const [isolate, { at }] of this.isolates) {
      if (at >= before && this.isolates.size <= mostIsolates) return;
      this.isolates.delete(isolate);
    }
  }
}
