import { partitionFor } from "../../src/kafka/partitioner.ts";
import { bidderOf } from "../harness/events.ts";

/** A bid as a record of Kafka's. Bodies are ASCII. */
export interface Bid {
  readonly key: string;
  /** A CloudEvent in JSON, about 340 bytes. */
  readonly value: string;
  readonly partition: number;
}

export const partitionCount = 8;
const itemCount = 1_000;

/** The same payload for every peer, made before the clock runs. */
export function makeBids(count: number): Bid[] {
  return Array.from({ length: count }, (_, index) => makeBid(index));
}

function makeBid(number: number): Bid {
  const key = `item-${number % itemCount}`;
  const amount = 100 + Math.floor(number / itemCount);
  const value = JSON.stringify({
    specversion: "1.0",
    id: `bid-${String(number).padStart(10, "0")}`,
    source: "/web/auctions",
    type: "auction.bid.placed",
    time: "2026-07-30T12:00:00.000Z",
    subject: key,
    data: {
      item: key,
      bidder: `user-${bidderOf(number)}`,
      amount,
      currency: "EUR",
      seq: number,
      note: "x".repeat(90),
    },
  });
  return { key, value, partition: partitionFor(key, partitionCount) };
}
