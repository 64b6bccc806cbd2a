import type { Edge } from "../auction/events.ts";
import { formatTimestamp } from "../lib/time.ts";
import type { Credential } from "./authenticate.ts";
import { cellOf } from "./geocell.ts";

/** The geographic part of `request.cf`; every field is optional, and none is an address. */
export interface Geography {
  readonly country?: unknown;
  readonly region?: unknown;
  readonly city?: unknown;
  readonly continent?: unknown;
  readonly timezone?: unknown;
  readonly asn?: unknown;
  readonly colo?: unknown;
  readonly latitude?: unknown;
  readonly longitude?: unknown;
}

/** Where and by whom a request's events were accepted. */
export function describeEdge(
  geography: Geography | undefined,
  credential: Credential,
  receivedAt: number,
): Edge {
  const colo = textOf(geography?.colo);
  return {
    ...(geography === undefined ? {} : describePlace(geography)),
    ...(colo === undefined ? {} : { colo }),
    receivedAt: formatTimestamp(receivedAt),
    credential: credential.id,
    ...(credential.subject === undefined ? {} : { subject: credential.subject }),
  };
}

const textFields = ["country", "region", "city", "continent", "timezone"] as const;

function describePlace(geography: Geography): Partial<Edge> {
  const network = isNetworkNumber(geography.asn) ? { asn: geography.asn } : {};
  // Tor says nothing of its users' places, and its exit's is not theirs.
  if (geography.country === tor) return { country: tor, ...network };
  const place: { -readonly [Field in (typeof textFields)[number]]?: string } = {};
  for (const field of textFields) {
    const text = textOf(geography[field]);
    if (text !== undefined && !(field === "country" && !isCountry(text))) place[field] = text;
  }
  const cell = cellOf({ ...place, latitude: geography.latitude, longitude: geography.longitude });
  return { ...place, ...network, ...(cell === null ? {} : { cell }) };
}

const tor = "T1";
/** What Cloudflare says where it does not know. */
const unknownCountry = "XX";

function isCountry(text: string): boolean {
  return /^[A-Z]{2}$/.test(text) && text !== unknownCountry;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.isWellFormed() ? value : undefined;
}

function isNetworkNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
