import { gapEvent } from "../src/auction/outputs.ts";
import { noteLoss, Reducer, type OutcomeListener } from "../src/auction/reducer.ts";
import type { JournalEvent } from "../src/auction/decode.ts";
import type { Entry, OutputTopic } from "../src/auction/state.ts";
import type { LogRecord, ProduceRecord } from "../src/kafka/port.ts";
import { noSpans } from "../src/lib/spans.ts";
import type { AppendedPlace, PartitionDependencies } from "./dependencies.ts";
import { SentOutputs } from "./sent-before.ts";
import { StoredAuction } from "./storage/auction-store.ts";
import { auctionMigrations, migrate } from "./storage/migrations.ts";
import { AuctionOutbox } from "./storage/auction-outbox.ts";
import type { TrailAnswer } from "./trail/answer.ts";
import { searchTrail } from "./trail/search.ts";
import { Trail } from "./trail/trail.ts";

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
  readonly trail: Trail;
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
    const trail = new Trail(storage, (id) => store.hashOfId(id));
    const onOutcome: OutcomeListener = (...outcome) => {
      this.outcomes.push(outcome);
      trail.told(...outcome);
    };
    const { journal: topic, items: itemsTopic } = this.names;
    const onApplied = (event: JournalEvent) => trail.applied(event);
    const context = { group, topic, itemsTopic, partition, onOutcome, onApplied };
    this.sentBefore.load();
    return { store, outbox: new AuctionOutbox(storage), reducer: new Reducer(store, context), trail };
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
    const { group, partition, spans = noSpans } = this.dependencies;
    const attributes = () => ({ group, partition, offset: run[0]?.offset ?? -1, records: run.length });
    spans.run("gavel.apply", attributes, () => this.applyInOne(run));
  }

  private applyInOne(run: readonly LogRecord[]): void {
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
    const { store, outbox, trail } = current;
    try {
      this.dependencies.storage.transaction(() => {
        outbox.writeAcknowledged();
        const { position: from, sequences } = store.state;
        trail.begin(from, sequences);
        decide(current);
        const sentBefore = this.sentBefore.of.bind(this.sentBefore);
        const onSequenced = trail.produced.bind(trail);
        outbox.add(store.takeOutputs(), from, sequences, sentBefore, onSequenced);
        store.flush(outbox.oldestPosition, trail.end(this.dependencies.clock.now()));
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
    const { outbox, trail } = this.current;
    if (!outbox.hasUnwritten) return;
    this.dependencies.storage.transaction(() => {
      outbox.writeAcknowledged();
      trail.settle();
    });
  }

  /** The log has these outputs, in order: the trail tells where, and who reads the topic is handed them. */
  appended(topic: OutputTopic, records: readonly ProduceRecord[], places: readonly AppendedPlace[]): void {
    const { clock, handOn } = this.dependencies;
    this.current.trail.appended(topic, records, places, clock.now());
    handOn(topic, records, places);
  }

  /** What is known of the recent records that may be of an event with this id. */
  trailOf(id: string): TrailAnswer {
    const { store, outbox, trail } = this.current;
    const unsentFrom = (topic: OutputTopic) =>
      outbox.queue(topic)[0]?.firstSequence ?? Number.POSITIVE_INFINITY;
    const steps = searchTrail(this.dependencies.storage, trail, store.hashOfId(id), unsentFrom);
    const { position, openedItemsOffset } = store.state;
    return { position, itemsPosition: openedItemsOffset + 1, steps };
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
