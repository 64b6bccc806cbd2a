import type { JournalEvent } from "../../src/auction/decode.ts";
import type { Outcome } from "../../src/auction/events.ts";
import type { OutputTopic } from "../../src/auction/state.ts";
import { visitHeaders } from "../../src/kafka/header-text.ts";
import type { ByteWriter } from "./bytes.ts";
import {
  codeOf,
  fateOf,
  isLateCode,
  noOutputs,
  type PerTopic,
  writeEntry,
  writeTransaction,
} from "./steps.ts";

/** What most bids make. */
const oneNotification: PerTopic = { ...noOutputs, notifications: 1 };

/** What one transaction does, told as it goes, and written as one step when it ends. */
export class TrailTransaction {
  private readonly from: number;
  private readonly sequences: PerTopic;
  private readonly hashOf: (id: string) => number;
  readonly hashes: number[] = [];
  private readonly offsets: number[] = [];
  private readonly codes: number[] = [];
  private readonly counts = new Map<number, PerTopic>();
  private readonly cursors: Record<OutputTopic, number> = { completed: 0, notifications: 0, deadLetters: 0 };
  /** Index of the entry of the record that is being applied. */
  private current = -1;

  /** @param sequences highest of each topic before it */
  constructor(from: number, sequences: PerTopic, hashOf: (id: string) => number) {
    this.from = from;
    this.sequences = { ...sequences };
    this.hashOf = hashOf;
  }

  /** A record comes to be applied; what is told next is of it, or decided by it. */
  applied(event: JournalEvent): void {
    this.current = this.hashes.length;
    this.add(idOf(event), event.offset, initialCode(event));
  }

  /**
   * What became of an event: of the one that is being applied, or of one that had waited.
   * @param offset in its own topic, which for an item is not the journal's
   */
  told(topic: "items" | "journal", offset: number, outcome: Outcome, id: string): void {
    const fate = fateOf(outcome);
    const isDuplicate = outcome.duplicate === true;
    if (topic === "items" || offset === this.offsets[this.current]) {
      this.codes[this.current] = codeOf(fate, isDuplicate);
    } else {
      this.add(id, offset, codeOf(fate, isDuplicate, true));
    }
  }

  private add(id: string, offset: number, code: number): void {
    this.hashes.push(this.hashOf(id));
    this.offsets.push(offset);
    this.codes.push(code);
  }

  /**
   * Outputs got their sequences. Those of one topic are told in the order of the records that decided
   * them, so that the search for these never goes back.
   */
  produced(topic: OutputTopic, offset: number, count: number): void {
    const { codes, offsets } = this;
    let index = this.cursors[topic];
    while (index < offsets.length && (isLateCode(codes[index] ?? 0) || (offsets[index] ?? 0) < offset)) {
      index += 1;
    }
    this.cursors[topic] = index;
    if (offsets[index] !== offset) return;
    const before = this.counts.get(index);
    const isOne = before === undefined && topic === "notifications" && count === 1;
    const known = before ?? noOutputs;
    this.counts.set(index, isOne ? oneNotification : { ...known, [topic]: known[topic] + count });
  }

  /** @param at by the object's clock */
  write(writer: ByteWriter, at: number): void {
    const { codes, offsets } = this;
    if (offsets.length === 0) return;
    writeTransaction(writer, { at, from: this.from, sequences: this.sequences }, offsets.length);
    let behind = this.from;
    for (const [index, offset] of offsets.entries()) {
      const code = codes[index] ?? 0;
      writeEntry(writer, code, behind, offset, this.counts.get(index) ?? noOutputs);
      if (!isLateCode(code)) behind = offset;
    }
  }
}

function initialCode(event: JournalEvent): number {
  if (event.kind === "unreadable") return codeOf("dead-lettered");
  return codeOf(event.kind === "bid" || event.kind === "withdrawal" ? "waiting" : "none");
}

/** The id that its sender knows it by: an opening stands for the listing that it was made of. */
function idOf(event: JournalEvent): string {
  if (event.kind === "opening") return event.data.listing.id;
  if (event.kind !== "unreadable") return event.identity.id;
  let found = "";
  visitHeaders(event.record, (key, value) => {
    if (key === "ce_id") found = value;
  });
  return event.itemsOffset === undefined ? found : (listingIdOf(event.record.value) ?? found);
}

function listingIdOf(value: string): string | undefined {
  try {
    const { listing } = JSON.parse(value) as { readonly listing?: { readonly id?: unknown } };
    return typeof listing?.id === "string" ? listing.id : undefined;
  } catch {
    return undefined;
  }
}
