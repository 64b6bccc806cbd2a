import type { LogGap } from "../../src/auction/state.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";
import { StoredOutbox } from "../storage/outbox.ts";
import { deadLetterOf, disabledOf, gapOf, madeOf, type OutputPlace } from "./group-outputs.ts";
import { Delivery } from "./delivery.ts";
import type { Place } from "./held-records.ts";
import { DeadLetterIndex } from "./dead-letter-index.ts";
import { DeliveryStore } from "./delivery-store.ts";
import type { DrivenFunction } from "./driven.ts";
import type { Disabled } from "./ledger.ts";
import { functionMigrations } from "./migrations.ts";
import type { Pending } from "./pending.ts";
import type { Changes } from "./changes.ts";

/** Topics that groups of functions write. */
export type GroupTopic = "validated" | "deadLetters";
export const groupTopics: readonly GroupTopic[] = ["validated", "deadLetters"];

/** What a group has on one partition beside its functions' ledgers: one row. */
export interface GroupRow extends Place {
  /** Highest sequence given out, by topic. */
  readonly sequences: Readonly<Record<GroupTopic, number>>;
  readonly deadLettered: number;
  readonly lostOffsets: number;
  readonly lastLoss: LogGap | null;
  /** The log's time of the last record that was read, in milliseconds since the epoch; 0 before the first. */
  readonly readTime: number;
  readonly isPaused: boolean;
  /** Where the group begins was found. */
  readonly hasBegun: boolean;
}

/** Characters of records that all functions of a partition have in memory together, where each has others. */
const memoryCharacters = 16_000_000;

const emptyRow: GroupRow = {
  position: 0,
  sequence: 0,
  sequences: { validated: 0, deadLetters: 0 },
  deadLettered: 0,
  lostOffsets: 0,
  lastLoss: null,
  readTime: 0,
  isPaused: false,
  hasBegun: false,
};

interface Loaded {
  row: GroupRow;
  readonly outbox: StoredOutbox<GroupTopic>;
  readonly store: DeliveryStore;
  readonly deadLetters: DeadLetterIndex;
  readonly deliveries: Map<string, Delivery>;
}

/**
 * The state of a group of functions on one partition, and the one place that stores it: positions,
 * parked records, calls under way and outputs change in one transaction, so that a record that ends
 * has its dead letter, a record that is done has its outputs, and what was called before a crash is
 * known after it. A transaction that fails leaves nothing behind, in storage or in memory.
 */
export class GroupState {
  private readonly dependencies: PartitionDependencies & { readonly random: () => number };
  private readonly place: OutputPlace;
  private loaded: Loaded | undefined;
  private functions: readonly DrivenFunction[] = [];
  private isRowChanged = false;
  private losses: LogGap[] = [];

  constructor(dependencies: PartitionDependencies & { readonly random: () => number }, place: OutputPlace) {
    this.dependencies = dependencies;
    this.place = place;
  }

  /** Reads everything from storage. */
  load(): void {
    this.loaded = this.read();
  }

  private read(): Loaded {
    const { storage } = this.dependencies;
    migrate(storage, functionMigrations);
    const [row] = storage.all<{ state: string }>(`SELECT state FROM group_state`);
    return {
      row: row === undefined ? emptyRow : (JSON.parse(row.state) as GroupRow),
      outbox: new StoredOutbox(storage, groupTopics),
      store: new DeliveryStore(storage, this.place),
      deadLetters: new DeadLetterIndex(storage),
      deliveries: new Map(),
    };
  }

  private get current(): Loaded {
    if (this.loaded !== undefined) return this.loaded;
    this.loaded = this.read();
    this.drive(this.functions);
    return this.loaded;
  }

  get row(): GroupRow {
    return this.current.row;
  }

  get outbox(): StoredOutbox<GroupTopic> {
    return this.current.outbox;
  }

  get store(): DeliveryStore {
    return this.current.store;
  }

  get deadLetters(): DeadLetterIndex {
    return this.current.deadLetters;
  }

  get deliveries(): ReadonlyMap<string, Delivery> {
    return this.current.deliveries;
  }

  /** Whether nothing is known of a function on this partition. */
  isUnknown(name: string): boolean {
    return !this.current.deliveries.has(name) && this.current.store.load(name).ledger === undefined;
  }

  /**
   * Brings the deliveries in line with the functions that there are; one that is gone takes its rows along.
   * @param starts where those begin that nothing is known of; with the group where it says nothing
   */
  drive(functions: readonly DrivenFunction[], starts: ReadonlyMap<string, number> = new Map()): void {
    this.functions = functions;
    const { deliveries, row, store } = this.current;
    for (const driven of functions) {
      const { name, settings } = driven;
      const known = deliveries.get(name);
      if (known !== undefined) setDisabled(known, driven);
      if (known !== undefined) continue;
      const stored = store.load(name);
      const position = stored.ledger === undefined ? starts.get(name) : undefined;
      const start = position === undefined ? row : { position, sequence: 0 };
      const delivery = new Delivery(name, settings, stored, start, this.dependencies.random);
      setDisabled(delivery, driven);
      deliveries.set(name, delivery);
    }
    for (const delivery of deliveries.values()) delivery.shareMemory(memoryCharacters / functions.length);
    const names = new Set(functions.map(({ name }) => name));
    const gone = store.names.filter((name) => !names.has(name));
    if (gone.length > 0) this.remove(gone);
    for (const name of deliveries.keys()) if (!names.has(name)) deliveries.delete(name);
  }

  /** Functions that are no more take their rows along, which is told. */
  private remove(names: readonly string[]): void {
    const { group, logger, partition, storage } = this.dependencies;
    const { deadLetters, store } = this.current;
    for (const name of names) {
      const { parked } = store.load(name);
      logger("warn", "function.removed", { group, partition, function: name, parked: parked.length });
    }
    storage.transaction(() => {
      for (const name of names) {
        store.remove(name);
        deadLetters.removeOf(name);
      }
    });
  }

  /** Whether rows have to come, change or go, or something has to be told: which waits for nothing. */
  get hasRowChanges(): boolean {
    if (this.losses.length > 0) return true;
    for (const delivery of this.current.deliveries.values()) if (delivery.hasRowChanges) return true;
    return false;
  }

  /** Whether some function's ledger is other than what is stored. */
  get hasLedgerChanges(): boolean {
    for (const delivery of this.current.deliveries.values()) if (delivery.hasChanges) return true;
    return false;
  }

  /** Changes the group's row; stored with the next commit. */
  update(change: Partial<GroupRow>): void {
    const { current } = this;
    current.row = { ...current.row, ...change };
    this.isRowChanged = true;
  }

  /** The record of a call, which may be in storage only. */
  recordOf(name: string, pending: Pending): LogRecord {
    return (pending.record ??= this.current.store.recordOf(name, pending.offset));
  }

  /**
   * Stores everything that changed, in one transaction.
   * @param also what else is to change with it
   */
  commit(also: () => void = () => undefined): void {
    const { current } = this;
    const { deliveries, outbox, store } = current;
    const { storage } = this.dependencies;
    const written: Changes[] = [];
    try {
      storage.transaction(() => {
        outbox.writeAcknowledged();
        also();
        this.tellLosses();
        for (const [name, delivery] of deliveries) {
          const taken = delivery.takeChanges(current.row.position);
          if (taken === null) continue;
          written.push(taken.changes);
          this.sendOutputs(name, taken.changes);
          store.write(name, taken.ledger, taken.changes, delivery.trail);
        }
        if (this.isRowChanged) this.writeRow(current.row);
      });
    } catch (error) {
      // Memory is ahead of what was rolled back; whoever asks next reads it again.
      this.loaded = undefined;
      this.isRowChanged = false;
      this.losses = [];
      throw error;
    }
    this.losses = [];
    this.isRowChanged = false;
    // What has a row is not kept in memory as well.
    for (const { parked, updated } of written)
      for (const pending of [...parked, ...updated]) if (!pending.isInFlight) pending.record = undefined;
  }

  private tellLosses(): void {
    const now = this.dependencies.clock.now();
    const events = this.losses.map((gap) => gapOf(this.place, gap, now));
    if (events.length > 0) this.append("deadLetters", events);
  }

  private writeRow(row: GroupRow): void {
    this.dependencies.storage.run(
      `INSERT OR REPLACE INTO group_state (id, state) VALUES (1, ?)`,
      JSON.stringify(row),
    );
  }

  /** Tells that a function was disabled, by an event; stored at once. */
  tellDisabled(name: string, disabled: Disabled): void {
    this.commit(() => this.append("deadLetters", [disabledOf(this.place, name, disabled)]));
  }

  /** Gives outputs and dead letters their sequences. */
  private sendOutputs(name: string, { endings, made }: Changes): void {
    if (made.length > 0) {
      const outputs = made.flatMap((one) => madeOf(this.place, name, one));
      this.append("validated", outputs);
    }
    if (endings.length === 0) return;
    const now = this.dependencies.clock.now();
    // One that was parked may be in its row only.
    for (const { pending } of endings) this.recordOf(name, pending);
    this.append(
      "deadLetters",
      endings.map((ending) => deadLetterOf(this.place, name, ending, now)),
    );
    const { deadLettered } = this.row;
    this.current.deadLetters.add(name, endings, deadLettered + 1, now);
    this.update({ deadLettered: deadLettered + endings.length });
  }

  private append(topic: GroupTopic, outputs: Parameters<StoredOutbox<GroupTopic>["append"]>[2]): void {
    const { outbox, row } = this.current;
    outbox.append(topic, row.sequences[topic] + 1, outputs, row.position);
    this.update({ sequences: { ...row.sequences, [topic]: row.sequences[topic] + outputs.length } });
  }

  /** The log has deleted what lies from `from` to `to` before it was read: told by an event with the next commit. */
  lose(from: number, to: number): void {
    const gap = { topic: this.place.topic, from, to };
    this.losses.push(gap);
    this.update({ lostOffsets: this.row.lostOffsets + to - from, lastLoss: gap });
    const { logger } = this.dependencies;
    logger("error", "partition.lost-offsets", {
      group: this.place.group,
      partition: this.place.partition,
      ...gap,
    });
  }

  /**
   * Begins again at an offset: what was parked from there on goes, since it comes again, and so does
   * what was known to be finished, and what had ended as a dead letter. What is parked or ended
   * before it stays.
   */
  seek(offset: number): void {
    const { current } = this;
    // Functions that have nothing stored yet get their ledger first.
    this.commit();
    // What they would store of themselves is of the place that is left.
    current.deliveries.clear();
    this.commit(() => {
      current.store.goOnFrom(offset);
      current.deadLetters.removeFrom(offset);
      // Outputs of the writer behind it may be repetitions of ones before it: that is found out anew.
      this.update({ position: offset, sequence: 0 });
    });
    this.drive(this.functions);
  }

  /** Writes acknowledgements that no other transaction has carried. */
  settleOutbox(): void {
    if (this.outbox.hasUnwritten) this.commit();
  }
}

/** What is known of the function decides, but for what was found here and is not told yet. */
function setDisabled(delivery: Delivery, { disabled, enabledAt = 0 }: DrivenFunction): void {
  const known = delivery.disabled;
  if (disabled !== undefined) {
    // What was found here is told until it is answered, also where the answer was lost.
    if (known?.isUntold !== true && known?.reason !== disabled)
      delivery.disable({ reason: disabled, at: known?.at ?? 0 });
  } else if (known !== undefined && (known.isUntold !== true || known.at < enabledAt)) {
    delivery.enable();
  }
}
