import { Reducer, type OutcomeListener } from "../src/auction/reducer.ts";
import type { Entry, OutputTopic } from "../src/auction/state.ts";
import type { LogRecord } from "../src/kafka/port.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { highestSequences } from "./recovery.ts";
import { StoredAuction } from "./storage/auction-store.ts";
import { migrate } from "./storage/migrations.ts";
import { StoredOutbox } from "./storage/outbox.ts";

type Sequences = Readonly<Record<OutputTopic, number>>;

interface Loaded {
  readonly store: StoredAuction;
  readonly outbox: StoredOutbox;
  readonly reducer: Reducer;
}

/**
 * The partition's state, and the one place that changes it: a run of journal records is applied
 * in one transaction together with the position, the timers and the outbox. A transaction that
 * fails leaves nothing behind, in storage or in memory.
 */
export class JournalState {
  private readonly dependencies: PartitionDependencies;
  private readonly source: string;
  private readonly topic: string;
  private readonly onOutcome: OutcomeListener;
  private loaded: Loaded | undefined;
  private sentBefore: Sequences | undefined;
  private outcomes: Parameters<OutcomeListener>[] = [];

  constructor(
    dependencies: PartitionDependencies,
    source: string,
    topic: string,
    onOutcome: OutcomeListener,
  ) {
    this.dependencies = dependencies;
    this.source = source;
    this.topic = topic;
    this.onOutcome = onOutcome;
  }

  /** Reads everything from storage. */
  load(): void {
    this.loaded = this.read();
  }

  private read(): Loaded {
    const { group, partition, storage } = this.dependencies;
    migrate(storage);
    const store = new StoredAuction(storage);
    const onOutcome: OutcomeListener = (...outcome) => this.outcomes.push(outcome);
    const context = { group, topic: this.topic, partition, onOutcome };
    const [row] = storage.all<{ value: string }>(`SELECT value FROM bookkeeping WHERE name = 'sent_before'`);
    this.sentBefore = row === undefined ? undefined : (JSON.parse(row.value) as Sequences);
    return { store, outbox: new StoredOutbox(storage), reducer: new Reducer(store, context) };
  }

  private get current(): Loaded {
    return (this.loaded ??= this.read());
  }

  get store(): StoredAuction {
    return this.current.store;
  }

  get outbox(): StoredOutbox {
    return this.current.outbox;
  }

  /** Next journal offset to apply. */
  get position(): number {
    return this.store.state.position;
  }

  get openedItemsOffset(): number {
    return this.store.state.openedItemsOffset;
  }

  /** The outbox is bounded: when it is full the position waits. */
  get isFull(): boolean {
    return this.outbox.isFull;
  }

  get alreadySent(): Sequences {
    return this.sentBefore ?? { completed: 0, notifications: 0, deadLetters: 0 };
  }

  /**
   * Once on empty storage, before anything is applied: learns which outputs are in their topics
   * since before a wipe. Applying first would send them twice.
   * @throws {LogError}
   */
  async recover(): Promise<void> {
    if (this.sentBefore !== undefined) return;
    const highest = await highestSequences(this.dependencies, this.source);
    if (this.sentBefore !== undefined) return;
    this.dependencies.storage.run(
      `INSERT INTO bookkeeping (name, value) VALUES ('sent_before', ?)`,
      JSON.stringify(highest),
    );
    this.sentBefore = highest;
  }

  /**
   * Applies records in offset order from the position on, in one transaction. Records before the
   * position are known and dropped.
   */
  apply(run: readonly LogRecord[]): void {
    const { store, outbox, reducer } = this.current;
    const { storage } = this.dependencies;
    try {
      storage.transaction(() => {
        outbox.writeAcknowledged();
        const from = store.state.position;
        store.prepare(run.map((record) => record.key));
        for (const record of run) if (record.offset >= store.state.position) reducer.apply(record);
        outbox.add(store.takeOutputs(), from, store.state.sequences, this.alreadySent);
        store.flush(outbox.oldestPosition);
      });
    } catch (error) {
      // Memory is ahead of what was rolled back: nobody sees it, and whoever asks next reads it again.
      this.outcomes = [];
      this.loaded = undefined;
      throw error;
    }
    this.tellOutcomes();
  }

  /** Writes acknowledgements that no run has come to carry. */
  settleOutbox(): void {
    const { outbox } = this.current;
    if (outbox.hasUnwritten) this.dependencies.storage.transaction(() => outbox.writeAcknowledged());
  }

  /** Only after the commit: what was rolled back never happened. */
  private tellOutcomes(): void {
    const { outcomes } = this;
    this.outcomes = [];
    for (const outcome of outcomes) this.onOutcome(...outcome);
  }

  /** When the next start, closing or expiry of a wait is due by stream time, and for which item. */
  get nextDue(): { readonly due: number; readonly itemId: string } | null {
    const timer = this.store.items.nextTimer;
    const expiry = this.store.waiting.nextExpiry;
    if (timer === null || expiry === null) return timer ?? expiry;
    return timer.due <= expiry.due ? timer : expiry;
  }

  isLastOfBidder(entry: Entry): boolean {
    // Also of an item whose time is over: its rows stay until its outputs are sent.
    const item = this.store.items.get(entry.itemId);
    return item !== undefined && this.store.newestAccepted(item, entry.bidderId)?.number === entry.number;
  }
}
