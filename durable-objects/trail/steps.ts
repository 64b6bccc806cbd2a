import type { Outcome, RejectionReason } from "../../src/auction/events.ts";
import { outputTopics, type OutputTopic } from "../../src/auction/state.ts";
import { ByteReader, type ByteWriter } from "./bytes.ts";

/**
 * How a trail is packed: transactions with an entry for each record, and produces, in the order in
 * which they happened. An entry's hash is kept apart, so that a search reads nothing else.
 */

/** What became of a record; a code is its place in the list, which is only ever added to. */
const fates = [
  // It decides nothing by itself: a tick, or an opening that was relayed once more.
  "none",
  "waiting",
  "dead-lettered",
  "accepted",
  "unknown-item",
  "withdrawn",
  "not-started",
  "ended",
  "currency-mismatch",
  "own-item",
  "below-start",
  "too-low",
  "already-listed",
  "not-seller",
] as const satisfies readonly ("none" | "waiting" | "dead-lettered" | "accepted" | RejectionReason)[];

export type Fate = (typeof fates)[number];

const fateBits = 0x0f;
/** The event had been judged before. */
const duplicateBit = 0x10;
/** It was judged by the entry before it, whose record opened its item or ended its wait. */
const lateBit = 0x20;
/** One notification came of it and nothing else, which is what most bids make. */
const oneNotificationBit = 0x40;
/** How many outputs came of it follows, topic by topic. */
const countsBit = 0x80;

export type PerTopic = Readonly<Record<OutputTopic, number>>;

/** One record of the journal, as its transaction left it. */
export interface Entry {
  readonly offset: number;
  readonly fate: Fate;
  readonly isDuplicate: boolean;
  /** It had waited: told again where it was judged. */
  readonly isLate: boolean;
  /** Outputs that its record decided, by topic. */
  readonly counts: PerTopic;
}

export interface TransactionHead {
  /** By the object's clock. */
  readonly at: number;
  /** Next journal offset before it. */
  readonly from: number;
  /** Highest sequence of each topic before it. */
  readonly sequences: PerTopic;
}

/** Outputs that the log took in one stretch. */
export interface Appended {
  readonly topic: OutputTopic;
  readonly sequence: number;
  readonly offset: number;
  readonly count: number;
  readonly at: number;
}

export const noOutputs: PerTopic = { completed: 0, notifications: 0, deadLetters: 0 };

const transactionTag = 1;
const appendedTag = 2;

export function fateOf({ status, reason }: Outcome): Fate {
  return status === "accepted" ? "accepted" : (reason ?? "none");
}

export function codeOf(fate: Fate, isDuplicate = false, isLate = false): number {
  return fates.indexOf(fate) | (isDuplicate ? duplicateBit : 0) | (isLate ? lateBit : 0);
}

export function isLateCode(code: number): boolean {
  return (code & lateBit) !== 0;
}

export function writeTransaction(writer: ByteWriter, head: TransactionHead, entries: number): void {
  writer.byte(transactionTag);
  writer.whole(head.at);
  writer.whole(head.from);
  for (const topic of outputTopics) writer.whole(head.sequences[topic]);
  writer.whole(entries);
}

/** @param behind offset of the entry before it in its transaction, or where that began */
export function writeEntry(
  writer: ByteWriter,
  code: number,
  behind: number,
  offset: number,
  counts: PerTopic,
): void {
  const { completed, notifications, deadLetters } = counts;
  const others = completed + deadLetters;
  const isOne = others === 0 && notifications === 1;
  const hasCounts = !isOne && others + notifications > 0;
  writer.byte(code | (isOne ? oneNotificationBit : 0) | (hasCounts ? countsBit : 0));
  writer.signed(offset - behind);
  if (hasCounts) for (const topic of outputTopics) writer.whole(counts[topic]);
}

export function writeAppended(writer: ByteWriter, appended: Appended): void {
  writer.byte(appendedTag);
  writer.byte(outputTopics.indexOf(appended.topic));
  writer.whole(appended.sequence);
  writer.whole(appended.offset);
  writer.whole(appended.count);
  writer.whole(appended.at);
}

export interface StepVisitor {
  entry?(index: number, entry: Entry, placed: PlacedEntry): void;
  appended?(appended: Appended): void;
}

/** Where an entry stands. */
export interface PlacedEntry {
  readonly head: TransactionHead;
  /** Highest sequence of each topic before the record that decided it, and what that record made. */
  readonly before: PerTopic;
  readonly made: PerTopic;
  /** Offset of the record that decided it. */
  readonly decidedBy: number;
}

/** Visits what was written, in order; entries are numbered as their hashes are. */
export function visitSteps(steps: Uint8Array, visitor: StepVisitor): void {
  const reader = new ByteReader(steps);
  let index = 0;
  while (!reader.isAtEnd) {
    if (reader.byte() === transactionTag) index = visitTransaction(reader, index, visitor);
    else visitAppended(reader, visitor);
  }
}

function visitTransaction(reader: ByteReader, firstIndex: number, visitor: StepVisitor): number {
  const head = { at: reader.whole(), from: reader.whole(), sequences: readPerTopic(reader) };
  const entries = reader.whole();
  let behind = head.from;
  let before = head.sequences;
  let decider: { offset: number; made: PerTopic; before: PerTopic } | undefined;
  for (let index = firstIndex; index < firstIndex + entries; index += 1) {
    const entry = readEntry(reader, behind);
    if (!entry.isLate || decider === undefined) {
      decider = { offset: entry.offset, made: entry.counts, before };
      before = sum(before, entry.counts);
    }
    const { offset: decidedBy, made } = decider;
    visitor.entry?.(index, entry, { head, before: decider.before, made, decidedBy });
    behind = decidedBy;
  }
  return firstIndex + entries;
}

function readEntry(reader: ByteReader, behind: number): Entry {
  const code = reader.byte();
  const offset = behind + reader.signed();
  const isOne = (code & oneNotificationBit) !== 0;
  return {
    offset,
    fate: fates[code & fateBits] ?? "none",
    isDuplicate: (code & duplicateBit) !== 0,
    isLate: isLateCode(code),
    counts:
      (code & countsBit) !== 0
        ? readPerTopic(reader)
        : isOne
          ? { ...noOutputs, notifications: 1 }
          : noOutputs,
  };
}

function visitAppended(reader: ByteReader, visitor: StepVisitor): void {
  const topic = outputTopics[reader.byte()];
  const sequence = reader.whole();
  const offset = reader.whole();
  const count = reader.whole();
  const at = reader.whole();
  if (topic !== undefined) visitor.appended?.({ topic, sequence, offset, count, at });
}

function readPerTopic(reader: ByteReader): PerTopic {
  return {
    completed: reader.whole(),
    notifications: reader.whole(),
    deadLetters: reader.whole(),
  };
}

function sum(left: PerTopic, right: PerTopic): PerTopic {
  if (right === noOutputs) return left;
  return {
    completed: left.completed + right.completed,
    notifications: left.notifications + right.notifications,
    deadLetters: left.deadLetters + right.deadLetters,
  };
}
