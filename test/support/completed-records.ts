import type { CompletedAuction } from "../../src/functions/completed-event.ts";
import type { FunctionRecord, Invocation } from "../../src/functions/function.ts";
import { eventTypes } from "../../src/topics.ts";

const closedAt = Date.parse("2026-11-25T10:30:00.000Z");

/** A finished auction, sold unless it is said otherwise. */
export function completedAuction(itemId: string, more: Partial<CompletedAuction> = {}): CompletedAuction {
  const isSold = (more.outcome ?? "sold") === "sold";
  return {
    itemId,
    sellerId: "seller",
    title: "A lamp",
    category: "lamps",
    currency: "EUR",
    outcome: "sold",
    ...(isSold
      ? { price: 1500, winner: { bidderId: "winner", bidId: `bid-${itemId}`, partition: 3, offset: 17 } }
      : {}),
    startingPrice: 1000,
    bids: 4,
    bidders: 2,
    startsAt: "2026-11-20T10:00:00.000Z",
    endsAt: "2026-11-25T10:29:58.000Z",
    closedAt: new Date(closedAt).toISOString(),
    ...more,
  };
}

interface RecordOptions {
  readonly offset?: number;
  readonly partition?: number;
  readonly type?: string;
  readonly attempt?: number;
  /** In place of the data's JSON. */
  readonly value?: string;
  readonly key?: string;
}

/** The record of an event, as a function gets it. */
export function completedRecord(
  auction: CompletedAuction,
  sequence: number | string,
  { offset = Number(sequence), partition = 3, type = eventTypes.itemCompleted, ...more }: RecordOptions = {},
): FunctionRecord {
  const topic = "auction.completed";
  return {
    id: `${topic}/${partition}/${offset}/test`,
    topic,
    partition,
    offset,
    timestamp: Date.parse(auction.closedAt),
    key: more.key ?? auction.itemId,
    value: more.value ?? JSON.stringify(auction),
    headers: [
      { key: "ce_specversion", value: "1.0" },
      { key: "ce_type", value: type },
      { key: "gavel_sequence", value: String(sequence) },
    ],
    attempt: more.attempt ?? 1,
  };
}

export function invocationOf(records: readonly FunctionRecord[]): Invocation {
  return {
    group: "test",
    function: "test",
    records,
    deadline: Date.now() + 30_000,
    signal: new AbortController().signal,
  };
}
