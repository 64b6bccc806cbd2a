import { gapEvent } from "../src/auction/outputs.ts";
import { noteLoss, Reducer, type OutcomeListener } from "../src/auction/reducer.ts";
import type { Entry } from "../src/auction/state.ts";
import type { LogRecord } from "../src/kafka/port.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { SentOutputs } from "./sent-before.ts";
import { StoredAuction } from "./storage/auction-store.ts";
import { auctionMigrations, migrate } from "./storage/migrations.ts";
import { AuctionOutbox } from "./storage/auction-outbox.ts";

/** Names in the log, and the `ce_source` of what this partition writes. */
export interface JournalNames {
  readonly journal: string;
  readonly items: string;
  readonly source: string;
}

interface Loaded {
  readonly store: StoredAuction;
  readonly outbox: AuctionOutbox;
  readonly reducer: Reducer;
}

/**
 * The partition's state, and the one place that changes it: a run of journal records is applied
 * in one transaction together with the position, the timers and the outbox. A transaction that
 * fails leaves nothing behind, in storage or in memory.
 */
export class JournalState {
  private readonly dependencies: PartitionDependencies;
  private readonly names: JournalNames;
  private readonly onOutcome: OutcomeListener;
  /** Which outputs are in their topics since before a wipe. */
  readonly sentBefore: SentOutputs;
  private loaded: Loaded | undefined;
  private outcomes: Parameters<OutcomeListener>[] = [];

  constructor(dependencies: PartitionDependencies, names: JournalNames, onOutcome: OutcomeListener) {
    this.dependencies = dependencies;
    this.names = names;
    this.onOutcome = onOutcome;
    this.sentBefore = new SentOutputs(dependencies, names);
  }

  /** Reads everything from storage. */
  load(): void {
    this.loaded = this.read();
  }

  private read(): Loaded {
    const { group, partition, storage } = this.dependencies;
    migrate(storage, auctionMigrations);
    const store = new StoredAuction(storage);
    const onOutcome: OutcomeListener = (...outcome) => this.outcomes.push(outcome);
    const { journal: topic, items: itemsTopic } = this.names;
    const context = { group, topic, itemsTopic, partition, onOutcome };
    this.sentBefore.load();
    return { store, outbox: new AuctionOutbox(storage), reducer: new Reducer(store, context) };
  }

  private get current(): Loaded {
    return (this.loaded ??= this.read());
  }

  get store(): StoredAuction {
    return this.current.store;
  }

  get outbox(): AuctionOutbox {
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

  /**
   * Applies records in offset order from the position on, in one transaction. Records before the
   * position are known and dropped.
   */
  apply(run: readonly LogRecord[]): void {
    this.change(({ store, reducer }) => {
      store.prepare(run.map((record) => record.key));
      for (const record of run) if (record.offset >= store.state.position) reducer.apply(record);
    });
  }

  /**
   * Moves the position over offsets that the log says hold no record for a reader. Counted as the
   * reducer counts them when a record comes behind them, so that the state is the same either way.
   */
  skipTo(next: number): void {
    this.change(({ store: { state } }) => {
      state.knownGaps += next - state.position;
      state.position = next;
    });
  }

  /**
   * Moves the position to where the log starts: what lies before was deleted unread. That is told by
   * an event, written with the move, and never passed over in silence.
   */
  lose(start: number): void {
    const { clock, logger, group, partition } = this.dependencies;
    const gap = { topic: this.names.journal, from: this.position, to: start };
    this.change(({ store }) => {
      const { state } = store;
      noteLoss(state, gap);
      state.position = start;
      this.sentBefore.loseCount(gap.from, state.sequences);
      store.emit(gapEvent(gap, { group, partition }, clock.now(), null));
    });
    logger("error", "partition.lost-offsets", { partition, ...gap });
  }

  /** One transaction: what is decided, the position and the outbox, or nothing of it. */
  private change(decide: (loaded: Loaded) => void): void {
    const { current } = this;
    const { store, outbox } = current;
    try {
      this.dependencies.storage.transaction(() => {
        outbox.writeAcknowledged();
        const from = store.state.position;
        decide(current);
        const sentBefore = this.sentBefore.of.bind(this.sentBefore);
        outbox.add(store.takeOutputs(), from, store.state.sequences, sentBefore);
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
