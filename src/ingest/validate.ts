import { idPattern } from "../auction/events.ts";
import { type Issue, Problem, problemFromIssues } from "../lib/problem.ts";
import { failure, ok, type Result } from "../lib/result.ts";
import { canonicalTimestamp, parseTimestamp } from "../lib/time.ts";
import { eventTypes } from "../topics.ts";
import type { Credential } from "./authenticate.ts";
import type { Draft } from "./draft.ts";
import { issuesFromZod } from "./issues.ts";
import { bidSchema, itemSchema, tickSchema, withdrawalSchema, type WritableType } from "./schemas.ts";

/** An event that may be published: its schema, its times and its sender's rights are checked. */
export interface ValidEvent {
  readonly type: WritableType;
  readonly id: string;
  readonly source: string;
  /** The item that the event is about: the record's key. */
  readonly itemId: string;
  readonly data: object;
  /** The data's media type, where the client said which JSON it is. */
  readonly contentType?: string;
  /** The event's time in milliseconds: the client's where it is trusted, else the acceptance's. */
  readonly timestamp: number;
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
  readonly extensions: Draft["extensions"];
}

const day = 86_400_000;
/** Longest run of an auction, from the event's time to its end. */
const longestRun = 90 * day;
/** How far a trusted time may be ahead of the clock. */
const mostAhead = 5_000;

const scopeOf = {
  [eventTypes.itemListed]: "items:write",
  [eventTypes.itemWithdrawn]: "items:write",
  [eventTypes.bidPlaced]: "bids:write",
  [eventTypes.tick]: "trusted-time",
} as const;

/** Checks an event's data and its sender's rights; every fault of the event is in the answer. */
export function validateEvent(
  draft: Draft,
  credential: Credential,
  now: number,
): Result<ValidEvent, Problem> {
  const scope = scopeOf[draft.type];
  if (!credential.scopes.has(scope)) {
    return failure(new Problem("missing-scope", `An event of type ${draft.type} needs the scope ${scope}`));
  }
  const issues: Issue[] = [];
  const timestamp = eventTime(draft, credential, now, issues);
  const checked = checkData(draft, timestamp, issues);
  if (checked === null || issues.length > 0) return failure(problemFromIssues(issues));
  const { subject } = credential;
  if (subject !== undefined && checked.writer !== undefined && checked.writer !== subject) {
    return failure(new Problem("forbidden-subject", `The credential may write for its own subject only`));
  }
  const { type, id, source, contentType, traceparent, tracestate, extensions } = draft;
  const { itemId, data } = checked;
  const event = { type, id, source, itemId, data, timestamp, traceparent, tracestate, extensions };
  return ok(contentType === undefined ? event : { ...event, contentType });
}

function eventTime(draft: Draft, credential: Credential, now: number, issues: Issue[]): number {
  const { time } = draft;
  if (time === undefined || !credential.scopes.has("trusted-time")) return now;
  if (time > now + mostAhead) {
    issues.push({ pointer: "/time", code: "time-ahead", message: "is more than 5 s ahead of the clock" });
  } else if (time < 0) {
    issues.push({
      pointer: "/time",
      code: "too-small",
      message: "is before 1970, which a record cannot carry",
    });
  }
  return time;
}

interface CheckedData {
  readonly itemId: string;
  readonly data: object;
  /** The bidder or seller in whose name the event speaks. */
  readonly writer?: string;
}

/** The data by its type's schema; null, with the reasons in `issues`, where it does not fit. */
function checkData(draft: Draft, timestamp: number, issues: Issue[]): CheckedData | null {
  switch (draft.type) {
    case eventTypes.bidPlaced:
      return checkBid(draft, issues);
    case eventTypes.itemListed:
      return checkItem(draft, timestamp, issues);
    case eventTypes.itemWithdrawn:
      return checkWithdrawal(draft, issues);
    case eventTypes.tick:
      return checkTick(draft, issues);
  }
}

function checkBid(draft: Draft, issues: Issue[]): CheckedData | null {
  const result = bidSchema.safeParse(draft.data);
  if (!result.success) return refuse(result.error.issues, draft, issues);
  checkSubject(draft, result.data.itemId, issues);
  return { itemId: result.data.itemId, data: result.data, writer: result.data.bidderId };
}

function checkWithdrawal(draft: Draft, issues: Issue[]): CheckedData | null {
  const result = withdrawalSchema.safeParse(draft.data);
  if (!result.success) return refuse(result.error.issues, draft, issues);
  checkSubject(draft, result.data.itemId, issues);
  // Whose item it is, only the partition knows.
  return { itemId: result.data.itemId, data: result.data };
}

function checkItem(draft: Draft, timestamp: number, issues: Issue[]): CheckedData | null {
  checkTerms(draft, timestamp, issues);
  const result = itemSchema.safeParse(draft.data);
  if (!result.success) return refuse(result.error.issues, draft, issues);
  const item = result.data;
  checkSubject(draft, item.itemId, issues);
  const data = {
    ...item,
    endsAt: canonicalTimestamp(item.endsAt),
    ...(item.startsAt === undefined ? {} : { startsAt: canonicalTimestamp(item.startsAt) }),
  };
  return { itemId: item.itemId, data, writer: item.sellerId };
}

/** A tick has no data: its envelope names an item of the partition and the time. */
function checkTick(draft: Draft, issues: Issue[]): CheckedData | null {
  const result = tickSchema.safeParse(draft.data);
  if (!result.success) refuse(result.error.issues, draft, issues);
  if (draft.time === undefined) issues.push({ pointer: "/time", code: "required", message: "is missing" });
  const { subject } = draft;
  if (subject === undefined) issues.push({ pointer: "/subject", code: "required", message: "is missing" });
  else if (idPattern.test(subject)) return { itemId: subject, data: {} };
  else issues.push({ pointer: "/subject", code: "invalid-format", message: "must be an item's id" });
  return null;
}

/**
 * The rules between an item's fields, looked at even where other fields are at fault, so that all
 * that is wrong is told at once. A field that is itself at fault is the schema's to tell.
 */
function checkTerms({ data, root }: Draft, timestamp: number, issues: Issue[]): void {
  if (typeof data !== "object" || data === null) return;
  const { startingPrice, reserve, startsAt, endsAt } = data as Record<string, unknown>;
  if (typeof startingPrice === "number" && typeof reserve === "number" && reserve < startingPrice) {
    issues.push({
      pointer: `${root}/reserve`,
      code: "reserve-below-start",
      message: "is below startingPrice",
    });
  }
  const start = typeof startsAt === "string" ? parseTimestamp(startsAt) : null;
  const end = typeof endsAt === "string" ? parseTimestamp(endsAt) : null;
  if (end === null) return;
  const place = `${root}/endsAt`;
  if (end <= timestamp)
    issues.push({ pointer: place, code: "ends-in-past", message: "must be after the event's time" });
  if (end > timestamp + longestRun) {
    issues.push({
      pointer: place,
      code: "ends-too-late",
      message: "is at most 90 days after the event's time",
    });
  }
  if (start !== null && start >= end) {
    issues.push({ pointer: `${root}/startsAt`, code: "starts-after-end", message: "must be before endsAt" });
  }
}

function checkSubject(draft: Draft, itemId: string, issues: Issue[]): void {
  if (draft.subject === undefined || draft.subject === itemId) return;
  issues.push({ pointer: "/subject", code: "subject-mismatch", message: "must be the item's id, or absent" });
}

function refuse(found: Parameters<typeof issuesFromZod>[0], draft: Draft, issues: Issue[]): null {
  issues.push(...issuesFromZod(found, draft.data, draft.root));
  return null;
}
