import type { Edge } from "../auction/events.ts";
import type { TopicPartitionOffset } from "../kafka/port.ts";
import { formatTimestamp } from "../lib/time.ts";
import { groups } from "../topology.ts";
import type { Invoked } from "./calls.ts";
import type { FoundEvent } from "./find.ts";
import type { Lineage } from "./follow.ts";
import type { Produced } from "./outputs.ts";

/** Every step of an event, as `GET /v1/events/{id}/lineage` tells it. */
export interface LineageView {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly itemId: string;
  readonly traceId: string | null;
  /** Null for a record that did not come by the edge. */
  readonly accepted: (Omit<Edge, "receivedAt"> & { readonly at: string }) | null;
  readonly record: TopicPartitionOffset & { readonly timestamp: string };
  readonly applied: AppliedView;
  readonly produced: readonly ProducedView[];
  readonly totals: { readonly produced: number; readonly unsent: number };
  readonly invoked: readonly InvokedView[];
  readonly repetitions: readonly TopicPartitionOffset[];
  /** False where something that should be listed was not found, or would have been too much to look for. */
  readonly complete: boolean;
}

interface AppliedView {
  readonly group: string;
  readonly partition: number;
  /** `not-yet`: the partition has not come to it. `waiting`: its item is not open yet. */
  readonly status: "not-yet" | "waiting" | "applied" | "dead-lettered";
  /** Journal offset at which it was applied; while it is not, the next one that will be. */
  readonly position: number;
  readonly at: string | null;
  readonly outcome?: {
    readonly status: "accepted" | "rejected";
    readonly reason?: string;
    readonly duplicate?: true;
  };
  /** The record that had it judged, where it had waited for its item. */
  readonly decidedBy?: { readonly position: number; readonly at: string };
}

interface ProducedView extends TopicPartitionOffset {
  readonly id: string;
  readonly type: string;
  /** `""` for what is about no item. */
  readonly itemId: string;
  readonly timestamp: string;
  /** When the log acknowledged it; null where that is not known any more. */
  readonly at: string | null;
}

interface InvokedView extends Omit<Invoked, "startedAt" | "endedAt"> {
  readonly startedAt?: string;
  readonly endedAt?: string;
}

export function lineageView(lineage: Lineage): LineageView {
  const { found, partition, events, count, unsent, invoked, isWhole } = lineage;
  const { id, source, type, itemId, traceId, edge, place, timestamp } = found.event;
  return {
    id,
    source,
    type,
    itemId,
    traceId: traceId ?? null,
    accepted: edge === undefined ? null : acceptedOf(edge),
    record: { ...place, timestamp: formatTimestamp(timestamp) },
    applied: appliedOf(found, partition),
    produced: events.map(producedOf),
    totals: { produced: count, unsent },
    invoked: invoked.map(invokedOf),
    repetitions: found.repetitions.map((repetition) => repetition.place),
    complete: isWhole,
  };
}

function acceptedOf({ receivedAt, ...edge }: Edge): LineageView["accepted"] {
  return { at: receivedAt, ...edge };
}

function appliedOf({ step, position }: FoundEvent, partition: number): AppliedView {
  const common = { group: groups.auction, partition };
  if (step === undefined) return { ...common, status: "not-yet", position, at: null };
  const { offset, fate, isDuplicate, decided } = step;
  const applied = { ...common, position: offset, at: formatTimestamp(step.appliedAt) };
  if (fate === "waiting" || fate === "dead-lettered") return { ...applied, status: fate };
  const isOwn = decided === undefined || decided.by === offset;
  const decidedBy = isOwn ? {} : { decidedBy: { position: decided.by, at: formatTimestamp(decided.at) } };
  // It moves the clock, and there is nothing to be accepted.
  if (fate === "none") return { ...applied, status: "applied", ...decidedBy };
  const outcome = {
    ...(fate === "accepted"
      ? { status: "accepted" as const }
      : { status: "rejected" as const, reason: fate }),
    ...(isDuplicate ? { duplicate: true as const } : {}),
  };
  return { ...applied, status: "applied", outcome, ...decidedBy };
}

function producedOf({ id, type, record, at }: Produced): ProducedView {
  const { topic, partition, offset, key: itemId, timestamp } = record;
  const time = formatTimestamp(timestamp);
  const acknowledged = at === null ? null : formatTimestamp(at);
  return { topic, partition, offset, id, type, itemId, timestamp: time, at: acknowledged };
}

function invokedOf({ startedAt, endedAt, ...call }: Invoked): InvokedView {
  return {
    ...call,
    ...(startedAt === undefined ? {} : { startedAt: formatTimestamp(startedAt) }),
    ...(endedAt === undefined ? {} : { endedAt: formatTimestamp(endedAt) }),
  };
}
