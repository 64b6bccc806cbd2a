import { covers } from "../../faults/covers.ts";
import { header } from "../../faults/plain-decoding.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import type { Evidence } from "./checker.ts";
import {
  type Acknowledgement,
  type Attempt,
  type ClientEvent,
  isAcknowledged,
  type Period,
  type Place,
  source,
} from "./history.ts";

/**
 * An answer that took longer may hide a produce that the gateway gave up and repeated: shorter than
 * any deadline on the way to the log. Milliseconds.
 */
const promptMs = 1_000;

/** One event, with all that was told of it and all that the log has of it. */
interface Case {
  readonly event: ClientEvent;
  readonly attempts: readonly Attempt[];
  readonly acknowledged: readonly Acknowledgement[];
  readonly copies: readonly LogRecord[];
}

/** Compares what clients were told with what the log holds. */
export function acknowledgementViolations({ attempts, disturbances, log }: Evidence): string[] {
  const written = [...log.items, ...log.journal].flat().filter(isOfClients);
  const byPlace = new Map(written.map((record) => [placeOf(record), record]));
  const copies = Map.groupBy(written, (record) => header(record, "ce_id") ?? "");
  const cases = [...Map.groupBy(attempts, ({ event }) => event.id)].map(([id, ofEvent]): Case => {
    const [{ event }] = ofEvent as [Attempt];
    const acknowledged = ofEvent.filter(isAcknowledged);
    return { event, attempts: ofEvent, acknowledged, copies: copies.get(id) ?? [] };
  });
  const sent = new Set(cases.map(({ event }) => event.id));
  return [
    ...cases.flatMap((one) => [
      ...misplaced(one, byPlace),
      ...altered(one),
      ...repeated(one, disturbances),
      ...undecided(one),
    ]),
    ...attempts.flatMap(badAnswer),
    ...disorder(cases),
    ...[...copies.keys()]
      .filter((id) => !sent.has(id))
      .map((id) => `${id} is in the log, and nobody sent it`),
  ];
}

/** What is acknowledged is in the log under its id, at exactly the place that was told. */
function misplaced({ event, acknowledged, copies }: Case, byPlace: ReadonlyMap<string, LogRecord>): string[] {
  const violations: string[] = [];
  for (const { told } of acknowledged) {
    const place = placeOf(told);
    if (told.id !== event.id) violations.push(`${event.id} was acknowledged as ${told.id}`);
    const found = byPlace.get(place);
    if (found !== undefined && header(found, "ce_id") === event.id) continue;
    const elsewhere = copies.map(placeOf).join(" and ");
    violations.push(
      elsewhere === ""
        ? `${event.id} is lost: it was acknowledged at ${place}, and is nowhere in the log`
        : `${event.id} was acknowledged at ${place}, and is at ${elsewhere}`,
    );
  }
  return violations;
}

function altered({ event, copies }: Case): string[] {
  return copies
    .filter(({ key, value }) => key !== event.data.itemId || !covers(JSON.parse(value), event.data))
    .map((record) => `${event.id} is in the log at ${placeOf(record)} as something else`);
}

/** An attempt leaves one record at most, but for one that the gateway may have repeated within. */
function repeated(
  { event, attempts, acknowledged, copies }: Case,
  disturbances: readonly Period[],
): string[] {
  const places = new Set(acknowledged.map(({ told }) => placeOf(told)));
  if (places.size < acknowledged.length) return [`${event.id} was acknowledged twice at one place`];
  if (attempts.every(({ told }) => told.kind === "refused")) {
    return copies.length === 0 ? [] : [`${event.id} was refused, and is in the log at ${placesOf(copies)}`];
  }
  const isInDoubt = attempts.some((attempt) => mayHaveRepeated(attempt, disturbances));
  if (isInDoubt || copies.length <= acknowledged.length) return [];
  return [`${event.id} was acknowledged without doubt, and is in the log at ${placesOf(copies)}`];
}

function mayHaveRepeated({ sentAt, endedAt, told }: Attempt, disturbances: readonly Period[]): boolean {
  if (told.kind === "failed" || told.kind === "silence") return true;
  if (endedAt - sentAt >= promptMs) return true;
  return disturbances.some(({ from, until }) => sentAt <= until && endedAt >= from);
}

/** A client sends an event again until it is decided: one that never is says that the system stood still. */
function undecided({ event, attempts }: Case): string[] {
  const isDecided = attempts.some(({ told }) => told.kind === "acknowledged" || told.kind === "refused");
  if (isDecided) return [];
  const last = attempts.at(-1)?.told;
  const answer = last?.kind === "failed" ? `a ${last.status}` : "no answer";
  return [`${event.id} was never acknowledged: the last of ${attempts.length} attempts had ${answer}`];
}

function badAnswer({ event, told }: Attempt): string[] {
  if (told.kind !== "failed") return [];
  if (told.status !== 503) return [`${event.id} was answered ${told.status}`];
  return told.saysWhenToRetry ? [] : [`${event.id} was answered 503 without Retry-After`];
}

/** What one client sent of one key is in the log in the order of sending: the first copies are, and the acknowledged ones. */
function disorder(cases: readonly Case[]): string[] {
  // Events of one client stand in the order of their first attempts.
  const streams = Map.groupBy(cases, ({ event, attempts }) => {
    return `${attempts[0]?.client} ${event.type} ${event.data.itemId}`;
  });
  return [...streams.values()].flatMap((stream) => [
    ...falling(stream, ({ copies }) => copies[0]?.offset, "is first"),
    ...falling(stream, ({ acknowledged }) => acknowledged[0]?.told.offset, "was acknowledged"),
  ]);
}

function falling(
  stream: readonly Case[],
  offsetOf: (one: Case) => number | undefined,
  verb: string,
): string[] {
  const violations: string[] = [];
  let before: { readonly id: string; readonly offset: number } | undefined;
  for (const one of stream) {
    const offset = offsetOf(one);
    if (offset === undefined) continue;
    const { id } = one.event;
    if (before !== undefined && offset <= before.offset) {
      violations.push(`${id} ${verb} at ${offset}, and was sent after ${before.id}, at ${before.offset}`);
    }
    before = { id, offset };
  }
  return violations;
}

function isOfClients(record: LogRecord): boolean {
  return header(record, "ce_source") === source;
}

function placesOf(records: readonly LogRecord[]): string {
  return records.map(placeOf).join(" and ");
}

function placeOf({ topic, partition, offset }: Place): string {
  return `${topic}/${partition}/${offset}`;
}
