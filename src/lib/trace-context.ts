import { hash53 } from "./hash.ts";
import { toHex } from "./hex.ts";
import { randomHex } from "./random.ts";

/** W3C Trace Context: what an event carries of the trace that it belongs to. */
export interface TraceContext {
  readonly traceId: string;
  /** Two hex digits; only the sampled bit has a meaning in version 00. */
  readonly flags: string;
  readonly tracestate?: string;
}

const versionZero = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
// A later version starts like version 00 and may go on behind a further dash.
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

const simpleKey = /^[a-z][a-z0-9_\-*/]{0,255}$/;
const tenantKey = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const mostMembers = 32;
/** What every system has to carry (W3C Trace Context, 3.3.1.5), and all that a record gets. */
const longestTracestate = 512;

/** The context that a caller sent, or null where its `traceparent` is absent or not valid. */
export function parseTraceContext(traceparent: unknown, tracestate: unknown): TraceContext | null {
  if (typeof traceparent !== "string") return null;
  const match = versionZero.exec(traceparent) ?? laterVersion.exec(traceparent);
  if (match === null) return null;
  const [, traceId = "", parentId = "", flags = ""] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  const state = typeof tracestate === "string" ? normaliseTracestate(tracestate) : null;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1 ? "01" : "00";
  return state === null ? { traceId, flags: sampled } : { traceId, flags: sampled, tracestate: state };
}

/** A trace of its own, sampled: nobody upstream decided otherwise. */
export function newTrace(): TraceContext {
  return { traceId: randomHex(16), flags: "01" };
}

/** A `traceparent` of version 00 with the same trace and a new span. */
export function childTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${randomHex(8)}-${context.flags}`;
}

/**
 * A trace continued with a span that is made of what the new event is, not of chance: whoever makes the
 * same event again, as a rebuild does, makes the same record. One that is not valid starts anew.
 * @param of tells the new event from every other
 */
export function derivedTrace(
  traceparent: string,
  tracestate: string,
  of: string,
): { readonly traceparent: string; readonly tracestate?: string } {
  const context = parseTraceContext(traceparent, tracestate === "" ? undefined : tracestate);
  if (context === null) return { traceparent: derivedNewTrace(of) };
  const { flags, traceId, tracestate: state } = context;
  const continued = `00-${traceId}-${derivedSpan(of)}-${flags}`;
  return state === undefined ? { traceparent: continued } : { traceparent: continued, tracestate: state };
}

/** A trace that begins with an event, made of what the event is; nobody asked for it to be sampled. */
export function derivedNewTrace(of: string): string {
  const [high, middle] = [toHex(hash53(of, 2), 14), toHex(hash53(of, 3), 14)];
  return `00-01${high}${middle}01-${derivedSpan(of)}-00`;
}

/** Never all zeros, which would be no span. */
function derivedSpan(of: string): string {
  return `01${toHex(hash53(of, 1), 14)}`;
}

/**
 * The list without empty members and blanks around them, or null where it is not valid. Cut to
 * whole members from its end where it is long: every event of a batch carries the request's, so
 * that a header of a few kilobytes would make a thousand records that much longer.
 */
function normaliseTracestate(text: string): string | null {
  const members = text
    .split(",")
    .map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > mostMembers) return null;
  const keys = new Set<string>();
  for (const member of members) {
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(equals, 0));
    if (keys.has(key) || !(simpleKey.test(key) || tenantKey.test(key))) return null;
    if (!memberValue.test(member.slice(equals + 1))) return null;
    keys.add(key);
  }
  return cutToMembers(members.join(","));
}

/** As many whole members as fit the bound; null where not even the first does. */
function cutToMembers(list: string): string | null {
  if (list.length <= longestTracestate) return list;
  const end = list.lastIndexOf(",", longestTracestate);
  return end === -1 ? null : list.slice(0, end);
}
