import { z } from "zod";
import {
  attributes,
  category,
  currency,
  id,
  itemAttributes,
  money,
  text,
  timestamp,
} from "../ingest/schemas.ts";
import { failure, ok, type Result } from "../lib/result.ts";
import { eventTypes } from "../topics.ts";
import type { FunctionRecord } from "./function.ts";

const place = z.int().min(0);
/** Far above what an item can have, and low enough that SQLite can add up as many as there are. */
const count = z.int().min(0).max(1e9);

/** `data` of `gavel.item.completed.v1`, as far as it is known. Source: src/auction/outputs.ts, `completed`. */
const completedSchema = z
  .object({
    itemId: id,
    sellerId: id,
    title: text(1, 200),
    category,
    attributes: attributes(itemAttributes.most, itemAttributes.longest).optional(),
    currency,
    outcome: z.enum(["sold", "unsold", "withdrawn"]),
    price: money(0).optional(),
    winner: z.object({ bidderId: id, bidId: text(1, 256), partition: place, offset: place }).optional(),
    startingPrice: money(0),
    reserve: money(0).optional(),
    bids: count,
    bidders: count,
    startsAt: timestamp,
    endsAt: timestamp,
    closedAt: timestamp,
  })
  .refine(
    ({ outcome, price, winner }) =>
      (outcome === "sold") === (price !== undefined) && (price === undefined) === (winner === undefined),
    { path: ["price"], message: "is there, with a winner, where the item is sold, and only there" },
  );

export type CompletedAuction = z.output<typeof completedSchema>;

export interface CompletedEvent {
  /** What is known of the event: of bounded size, whatever the record is. */
  readonly auction: CompletedAuction;
  /** The whole data, as it is in the log. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Of the event among its partition's outputs, from 1 on. */
  readonly sequence: number;
}

/** A record of a finished auction, or in words why it is none. */
export function decodeCompleted(record: FunctionRecord): Result<CompletedEvent, string> {
  const header = (name: string) => record.headers.find(({ key }) => key === name)?.value;
  const type = header("ce_type");
  if (type !== eventTypes.itemCompleted) return failure(`its type is not ${eventTypes.itemCompleted}`);
  const sequence = Number(/^[1-9]\d{0,15}$/.exec(header("gavel_sequence") ?? "")?.[0]);
  if (!Number.isSafeInteger(sequence)) return failure("its gavel_sequence is no sequence");
  const data = parse(record.value);
  if (data === undefined) return failure("its value is not JSON");
  const result = completedSchema.safeParse(data);
  if (!result.success) return failure(result.error.issues.map(describe).join("; "));
  if (result.data.itemId !== record.key) return failure("its key is not its item");
  return ok({ auction: result.data, data: data as Record<string, unknown>, sequence });
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function describe({ path, message }: z.core.$ZodIssue): string {
  return `${path.length === 0 ? "data" : path.join(".")}: ${message}`;
}
