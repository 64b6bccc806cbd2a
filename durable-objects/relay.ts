import {
  openingOf,
  openingWithoutTerms,
  type OpeningSettings,
  type OpeningTarget,
} from "../src/auction/opening.ts";
import type { OffsetRange } from "../src/auction/events.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import type { LogError, LogRecord, ProduceRecord, ProduceResult } from "../src/kafka/port.ts";
import { isTooLarge, produceInParts } from "./produce-in-parts.ts";

/** Openings of one produce at most, by count and by characters of their values. */
const maximumOpenings = 500;
const maximumCharacters = 700_000;

/** Takes openings with the places that the journal gave them, and the journal's id where it was told. */
type OnRelayed = (records: readonly LogRecord[], topicId: string | undefined) => void;

/** Items offsets that were read and hold no item: from `from` on and before `to`. */
type ReadPast = OffsetRange;

/**
 * Relays items into the journal, in items order. The journal itself says up to which items offset it
 * has openings, so a relay that is not sure whether an append took effect appends again, and the
 * reducer drops what it knows (`itemsOffset` is not above the last). Only what was read past behind
 * the last item is stored, since no opening tells of it.
 */
export class ItemRelay {
  private readonly dependencies: PartitionDependencies;
  private readonly target: OpeningTarget;
  private readonly settings: OpeningSettings;
  private readonly onRelayed: OnRelayed;
  private nextOffset = 0;
  /** The last items offset that was relayed since this object came up, -1 before the first. */
  private lastRelayed = -1;
  private readPast: ReadPast | undefined;
  /** What the log lost before the next item; its opening tells. */
  private gap: OffsetRange | undefined;

  constructor(dependencies: PartitionDependencies, target: OpeningTarget, onRelayed: OnRelayed) {
    const { closeGraceMs: graceMs, earlyBidWaitMs, retentionMs } = dependencies.settings;
    this.dependencies = dependencies;
    this.target = target;
    this.settings = { graceMs, earlyBidWaitMs, retentionMs };
    this.onRelayed = onRelayed;
  }

  load(): void {
    const { storage } = this.dependencies;
    const [row] = storage.all<{ value: string }>(
      `SELECT value FROM bookkeeping WHERE name = 'items_read_past'`,
    );
    this.readPast = row === undefined ? undefined : (JSON.parse(row.value) as ReadPast);
  }

  /** Next items offset to relay; never below what the journal has. */
  position(openedItemsOffset: number): number {
    const next = Math.max(this.nextOffset, openedItemsOffset + 1);
    const { readPast } = this;
    const isPast = readPast !== undefined && readPast.from <= next && next < readPast.to;
    this.nextOffset = isPast ? readPast.to : next;
    return this.nextOffset;
  }

  /** First items offset that has not taken effect: what was relayed has once its opening is applied. */
  positionAfter(openedItemsOffset: number): number {
    if (openedItemsOffset < this.lastRelayed) return openedItemsOffset + 1;
    return this.position(openedItemsOffset);
  }

  /** Moves on over offsets that the log says hold no item. */
  skipTo(next: number): void {
    const from = this.readPast?.to === this.nextOffset ? this.readPast.from : this.nextOffset;
    const readPast = { from, to: next };
    this.dependencies.storage.run(
      `INSERT OR REPLACE INTO bookkeeping (name, value) VALUES ('items_read_past', ?)`,
      JSON.stringify(readPast),
    );
    this.readPast = readPast;
    this.nextOffset = next;
  }

  /**
   * Moves on to where the log starts: what lies before was deleted unread. The next opening says so
   * in the journal, whose order the state follows. Not stored: until that opening is in the journal,
   * the position that a restart begins at meets the gap again.
   */
  lose(start: number): void {
    const { logger, partition } = this.dependencies;
    this.gap = { from: this.gap?.from ?? this.nextOffset, to: start };
    this.nextOffset = start;
    logger("error", "partition.lost-items", { partition, ...this.gap });
  }

  /** What was relayed may not be in the journal after all: the journal alone says from where to go on. */
  startOver(): void {
    this.nextOffset = 0;
    this.lastRelayed = -1;
  }

  /** Appends the openings of a run of items, and hands what was appended to the journal's reader. */
  async relay(run: readonly LogRecord[]): Promise<void> {
    for (let start = 0; start < run.length;) {
      const slice = this.sliceOf(run, start);
      await this.append(slice.items, slice.openings);
      start += slice.items.length;
    }
  }

  private sliceOf(
    run: readonly LogRecord[],
    start: number,
  ): { items: LogRecord[]; openings: ProduceRecord[] } {
    const items: LogRecord[] = [];
    const openings: ProduceRecord[] = [];
    let characters = 0;
    for (const item of run.slice(start, start + maximumOpenings)) {
      const gap = items.length === 0 ? this.gap : undefined;
      const opening = openingOf(item, this.settings, this.target, gap);
      characters += opening.value.length;
      if (items.length > 0 && characters > maximumCharacters) break;
      items.push(item);
      openings.push(opening);
    }
    return { items, openings };
  }

  private async append(items: readonly LogRecord[], openings: readonly ProduceRecord[]): Promise<void> {
    if (openings.length === 0) return;
    const results = await produceInParts(this.dependencies, openings);
    const failure = this.handOn(items, openings, results);
    if (failure === undefined) return;
    if (!isTooLarge(failure.error)) throw failure.error;
    // What the log will never take must not hold up the items behind it.
    await this.appendWithoutTerms(items.slice(failure.index, failure.index + 1));
    return this.append(items.slice(failure.index + 1), openings.slice(failure.index + 1));
  }

  private async appendWithoutTerms(items: readonly LogRecord[]): Promise<void> {
    const openings = items.map((item) => openingWithoutTerms(item, this.settings, this.target, this.gap));
    const results = await produceInParts(this.dependencies, openings);
    const failure = this.handOn(items, openings, results);
    if (failure !== undefined) throw failure.error;
  }

  /** Hands on the openings that were appended, which are the first ones; answers what failed behind them. */
  private handOn(
    items: readonly LogRecord[],
    openings: readonly ProduceRecord[],
    results: readonly ProduceResult[],
  ): { readonly index: number; readonly error: LogError } | undefined {
    const appended: LogRecord[] = [];
    let topicId: string | undefined;
    let failure: { readonly index: number; readonly error: LogError } | undefined;
    for (const [index, result] of results.entries()) {
      if (!result.ok) {
        failure = { index, error: result.error };
        break;
      }
      const opening = openings[index] as ProduceRecord;
      appended.push({ ...opening, offset: result.offset, timestamp: result.timestamp });
      topicId = result.topicId;
      this.lastRelayed = (items[index] as LogRecord).offset;
      this.nextOffset = this.lastRelayed + 1;
      this.gap = undefined;
    }
    this.onRelayed(appended, topicId);
    return failure;
  }
}
