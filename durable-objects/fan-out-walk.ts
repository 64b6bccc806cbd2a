import { lost } from "../src/auction/outputs.ts";
import type { Entry } from "../src/auction/state.ts";
import type { ProduceRecord } from "../src/kafka/port.ts";
import type { Logger } from "../src/lib/log.ts";
import type { JournalState } from "./journal-state.ts";
import { prepare, type PreparedOutput } from "./outbox-record.ts";
import type { Slice } from "./outbox-slice.ts";
import type { FanOut } from "./storage/outbox.ts";

interface FanOutHost {
  readonly logger: Logger;
  entry(number: number): Entry | undefined;
  /** Whether this entry is the last accepted bid of its bidder on its item. */
  isLastOfBidder(entry: Entry): boolean;
  /** Highest sequence of the notifications that were there before a wipe; up to it nothing is sent again. */
  readonly alreadySent: number;
}

export function fanOutHostOf(journal: JournalState, logger: Logger): FanOutHost {
  return {
    logger,
    entry: (number) => journal.store.entries.get(number),
    isLastOfBidder: (entry) => journal.isLastOfBidder(entry),
    alreadySent: journal.sentBefore.of("notifications").sequence,
  };
}

/**
 * Adds a fan-out's next outputs, walking the item's entries from newest to oldest: a bidder's
 * newest accepted bid is met first. Walked from the newest on, the bidders met tell which bid
 * that is; a walk that goes on in the middle has to look it up.
 */
export function walkFanOut(
  host: FanOutHost,
  fanOut: FanOut,
  slice: Slice,
  recordOf: (output: PreparedOutput, sequence: number) => ProduceRecord,
  firstSequence: number,
): void {
  const { losers } = fanOut;
  const met = fanOut.cursor === losers.lastEntry ? new Set<string>() : undefined;
  const before = slice.records.length;
  let { cursor, sent } = fanOut;
  for (; cursor !== 0 && !slice.isFull; slice.walked += 1) {
    const entry = host.entry(cursor);
    if (entry === undefined) throw new Error(`entry ${cursor} of item ${losers.itemId} is not stored`);
    cursor = entry.previous;
    if (entry.kind !== "bid" || entry.reason !== null || entry.bidderId === losers.winner) continue;
    if (met === undefined ? !host.isLastOfBidder(entry) : met.has(entry.bidderId)) continue;
    met?.add(entry.bidderId);
    sent += 1;
    const sequence = firstSequence + sent - fanOut.sent - 1;
    if (sequence <= host.alreadySent) continue;
    slice.add(recordOf(prepare(lost(losers, entry, sent)), sequence));
  }
  if (cursor === 0 && sent !== losers.count) {
    // Nobody is left to be told, and holding up every output behind it would help nobody either.
    const { itemId, count } = losers;
    host.logger("error", "fan-out.miscounted", { itemId, counted: count, met: sent });
  }
  const records = slice.records.length - before;
  slice.steps.push(cursor === 0 ? { records } : { records, begun: { losers, cursor, sent } });
}
