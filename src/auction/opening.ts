import type { OffsetRange } from "./events.ts";
import { eventTypes } from "../topics.ts";
import type { LogRecord, ProduceRecord, RecordHeader } from "../kafka/port.ts";
import { derivedTrace } from "../lib/trace-context.ts";

export interface OpeningSettings {
  readonly graceMs: number;
  readonly earlyBidWaitMs: number;
  readonly retentionMs: number;
}

/** Where openings go and who writes them. */
export interface OpeningTarget {
  readonly journal: string;
  readonly source: string;
}

/**
 * The journal record that opens an item: its terms as they were listed, its own timestamp, its
 * offset in `auction.items`, the rules' version and the settings in force, so that nothing but
 * the journal decides later. An item that cannot be read is relayed too, without its terms: the
 * journal then says, in its one order, that it ended as a dead letter.
 * @param gap what the log had lost before the item, which the journal then tells in its one order
 */
export function openingOf(
  record: LogRecord,
  settings: OpeningSettings,
  target: OpeningTarget,
  gap?: OffsetRange,
): ProduceRecord {
  const item = parseObject(record.value);
  const why = whyUnreadable(record, item);
  return opening(
    record,
    why === undefined ? (item ?? {}) : { unreadable: record.value, why },
    settings,
    target,
    gap,
  );
}

/** What keeps a record of `auction.items` from being a listing at all; its terms are the reducer's to read. */
function whyUnreadable(record: LogRecord, item: unknown): string | undefined {
  const type = headerOf(record, "ce_type");
  if (type === "") return "the record has no ce_type header";
  if (type !== eventTypes.itemListed) return `the items carry no ${type.slice(0, 100)}`;
  if (headerOf(record, "ce_id") === "") return "the record has no ce_id header";
  if (item === undefined) return "the value is not a JSON object";
  // Before 1970, or none at all: the journal takes no such record.
  return record.timestamp < 0 ? "the timestamp is no time" : undefined;
}

/** The same without what was listed, for an item whose opening the log refuses as too large. */
export function openingWithoutTerms(
  record: LogRecord,
  settings: OpeningSettings,
  target: OpeningTarget,
  gap?: OffsetRange,
): ProduceRecord {
  const item = { unreadable: "", why: "the opening is larger than the log takes" };
  return opening(record, item, settings, target, gap);
}

function opening(
  record: LogRecord,
  item: Readonly<Record<string, unknown>>,
  settings: OpeningSettings,
  target: OpeningTarget,
  itemsGap: OffsetRange | undefined,
): ProduceRecord {
  const { topic, partition, offset, key } = record;
  const timestamp = Math.max(0, record.timestamp);
  const listing = { source: headerOf(record, "ce_source"), id: headerOf(record, "ce_id") };
  // A member of the item's own by that name counts for nothing: undefined leaves it out.
  const value = JSON.stringify({ ...item, itemsOffset: offset, listing, rules: 1, ...settings, itemsGap });
  const id = `${topic}/${partition}/${offset}`;
  const headers: RecordHeader[] = [
    { key: "ce_specversion", value: "1.0" },
    { key: "ce_id", value: id },
    { key: "ce_source", value: target.source },
    { key: "ce_type", value: eventTypes.itemOpened },
    { key: "ce_time", value: isoOf(timestamp) },
    { key: "ce_subject", value: key },
    { key: "content-type", value: "application/json" },
    ...traceHeaders(record, id),
  ];
  return { topic: target.journal, partition, key, value, timestamp, headers };
}

/** The listing's trace goes on; one that it lacks does not begin here. */
function traceHeaders(record: LogRecord, id: string): RecordHeader[] {
  const carried = headerOf(record, "ce_traceparent");
  if (carried === "") return [];
  const { traceparent, tracestate } = derivedTrace(carried, headerOf(record, "ce_tracestate"), id);
  const headers = [{ key: "ce_traceparent", value: traceparent }];
  return tracestate === undefined ? headers : [...headers, { key: "ce_tracestate", value: tracestate }];
}

/** "" for a timestamp that is no date: the reducer then finds that the item cannot be read. */
function isoOf(timestamp: number): string {
  return Math.abs(timestamp) <= 8.64e15 ? new Date(timestamp).toISOString() : "";
}

function headerOf(record: LogRecord, name: string): string {
  return record.headers.find(({ key }) => key === name)?.value ?? "";
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
