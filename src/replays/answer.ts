import { formatTimestamp } from "../lib/time.ts";
import type { ConclusionProgress, PartProgress, ReplayView, Waiting } from "./replay.ts";

/** A replay as it is listed: without what each partition has, and without its result. */
export function replaySummary(view: ReplayView): Record<string, unknown> {
  const { id, analysis, topic, parameters, from, to, maximumRecords, maximumBytes } = view;
  const { status, failure, createdAt, createdBy, finishedAt, parts } = view;
  return {
    id,
    analysis,
    topic,
    parameters,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    maximumRecords,
    maximumBytes,
    status,
    ...(failure === undefined ? {} : { failure }),
    createdAt: formatTimestamp(createdAt),
    createdBy,
    ...(finishedAt === undefined ? {} : { finishedAt: formatTimestamp(finishedAt) }),
    progress: progressOf(parts),
  };
}

/** The whole of it, as JSON: a result's numbers may be too large to be parsed on the way. */
export function replayText(view: ReplayView): string {
  const { parts, conclusion, result } = view;
  const body = {
    ...replaySummary(view),
    partitions: parts.map(partBody),
    conclusion: conclusionBody(conclusion),
  };
  const text = JSON.stringify(body);
  return result === undefined ? text : `${text.slice(0, -1)},"result":${result}}`;
}

function progressOf(parts: readonly PartProgress[]) {
  const sum = (of: (part: PartProgress) => number) => parts.reduce((total, part) => total + of(part), 0);
  const offsets = sum(({ from, to }) => to - from);
  const read = sum(({ from, position }) => position - from);
  return {
    offsets,
    read,
    records: sum(({ records }) => records),
    bytes: sum(({ bytes }) => bytes),
    lostOffsets: sum(({ lostOffsets }) => lostOffsets),
  };
}

function partBody({ waiting, ...part }: PartProgress) {
  const { isBegun: _, ...told } = part;
  return { ...told, ...waitingBody(waiting) };
}

function conclusionBody({ waiting, ...conclusion }: ConclusionProgress) {
  return { ...conclusion, ...waitingBody(waiting) };
}

function waitingBody(waiting: Waiting | undefined) {
  if (waiting === undefined) return {};
  const { reason, failures, retryAt } = waiting;
  return { waiting: { reason, failures, retryAt: formatTimestamp(retryAt) } };
}
