import { latLngToCell } from "h3-js";
import type { Edge } from "../auction/events.ts";
import { formatTimestamp } from "../lib/time.ts";
import type { Credential } from "./authenticate.ts";

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

/** About 250 km²: what an address's location justifies, and no finer. */
export const cellResolution = 5;

const textFields = ["country", "region", "city", "continent", "timezone"] as const;

/**
 * Where and by whom a request's events were accepted. A proxy's own place is not its client's: of
 * a forwarded request only the data centre is kept.
 */
export function describeEdge(
  geography: Geography | undefined,
  credential: Credential,
  receivedAt: number,
  forwarded: boolean,
): Edge {
  return {
    ...(forwarded ? {} : describePlace(geography)),
    ...(typeof geography?.colo === "string" ? { colo: geography.colo } : {}),
    receivedAt: formatTimestamp(receivedAt),
    credential: credential.id,
    ...(credential.subject === undefined ? {} : { subject: credential.subject }),
  };
}

function describePlace(geography: Geography | undefined): Partial<Edge> {
  if (geography === undefined) return {};
  const place: { -readonly [Field in (typeof textFields)[number]]?: string } = {};
  for (const field of textFields) {
    const value = geography[field];
    if (typeof value === "string" && value !== "" && value.isWellFormed()) place[field] = value;
  }
  const cell = cellOf(geography.latitude, geography.longitude);
  return {
    ...place,
    ...(typeof geography.asn === "number" ? { asn: geography.asn } : {}),
    ...(cell === null ? {} : { cell }),
  };
}

// A city's callers share its coordinates, so that a few thousand entries serve most requests.
const mostCells = 4096;
const cells = new Map<string, string>();

/** The H3 cell of coordinates in degrees, given as texts like `request.cf` does; null without. */
export function cellOf(latitude: unknown, longitude: unknown): string | null {
  if (typeof latitude !== "string" || typeof longitude !== "string") return null;
  const key = `${latitude},${longitude}`;
  const known = cells.get(key);
  if (known !== undefined) return known;
  const degrees = [Number.parseFloat(latitude), Number.parseFloat(longitude)] as const;
  if (!(Math.abs(degrees[0]) <= 90 && Math.abs(degrees[1]) <= 180)) return null;
  const cell = latLngToCell(degrees[0], degrees[1], cellResolution);
  if (cells.size >= mostCells) cells.clear();
  cells.set(key, cell);
  return cell;
}
