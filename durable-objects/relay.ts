import {
  openingOf,
  openingWithoutTerms,
  type OpeningSettings,
  type OpeningTarget,
} from "../src/auction/opening.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import type { LogError, LogRecord, ProduceRecord, ProduceResult } from "../src/kafka/port.ts";
import { isTooLarge, produceInParts } from "./produce-in-parts.ts";

/** Openings of one produce at most, by count and by characters of their values. */
const maximumOpenings = 500;
const maximumCharacters = 700_000;

/**
 * Relays items into the journal, in items order. Nothing of it is stored: the journal itself says
 * up to which items offset it has openings, so a relay that is not sure whether an append took
 * effect appends again, and the reducer drops what it knows (`itemsOffset` is not above the last).
 */
export class ItemRelay {
  private readonly dependencies: PartitionDependencies;
  private readonly target: OpeningTarget;
  private readonly settings: OpeningSettings;
  private readonly onRelayed: (records: readonly LogRecord[]) => void;
  private nextOffset = 0;

  constructor(
    dependencies: PartitionDependencies,
    target: OpeningTarget,
    onRelayed: (records: readonly LogRecord[]) => void,
  ) {
    const { closeGraceMs: graceMs, earlyBidWaitMs, retentionMs } = dependencies.settings;
    this.dependencies = dependencies;
    this.target = target;
    this.settings = { graceMs, earlyBidWaitMs, retentionMs };
    this.onRelayed = onRelayed;
  }

  /** Next items offset to relay; never below what the journal has. */
  position(openedItemsOffset: number): number {
    this.nextOffset = Math.max(this.nextOffset, openedItemsOffset + 1);
    return this.nextOffset;
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
      const opening = openingOf(item, this.settings, this.target);
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
    const openings = items.map((item) => openingWithoutTerms(item, this.settings, this.target));
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
    let failure: { readonly index: number; readonly error: LogError } | undefined;
    for (const [index, result] of results.entries()) {
      if (!result.ok) {
        failure = { index, error: result.error };
        break;
      }
      const opening = openings[index] as ProduceRecord;
      appended.push({ ...opening, offset: result.offset, timestamp: result.timestamp });
      this.nextOffset = (items[index] as LogRecord).offset + 1;
    }
    this.onRelayed(appended);
    return failure;
  }
}
