import { getResolution, latLngToCell } from "h3-js";
import { countryCells } from "./country-cells.ts";

/** About 250 km²: what an address's location justifies, and no finer. */
export const finestResolution = 5;

/** Where a request comes from, as far as it is known. */
export interface Location {
  readonly country?: string;
  readonly region?: string;
  readonly city?: string;
  /** Degrees, as texts like `request.cf` has them. */
  readonly latitude?: unknown;
  readonly longitude?: unknown;
}

/**
 * The H3 cell of a location, no finer than what is known of it justifies: a city's coordinates at
 * resolution 5, a region's one step finer than its country's cell, and for a country that cell,
 * around its centre and not smaller than it. Coordinates that belong to nothing named say not how
 * exact they are, and give none.
 */
export function cellOf({ country, region, city, latitude, longitude }: Location): string | null {
  const countryCell = country === undefined ? undefined : countryCells[country];
  if (city !== undefined || region !== undefined) {
    const resolution = city === undefined ? resolutionOfRegion(countryCell) : finestResolution;
    const cell = cellAt(latitude, longitude, resolution);
    if (cell !== null) return cell;
  }
  return countryCell ?? null;
}

/** A country is divided into regions by the dozen; one step makes cells a seventh as large. */
function resolutionOfRegion(countryCell: string | undefined): number {
  return countryCell === undefined ? 0 : Math.min(getResolution(countryCell) + 1, finestResolution);
}

// A city's callers share its coordinates, so that a few thousand entries serve most requests.
const mostCells = 4096;
const cells = new Map<string, string>();

function cellAt(latitude: unknown, longitude: unknown, resolution: number): string | null {
  if (typeof latitude !== "string" || typeof longitude !== "string") return null;
  const key = `${resolution},${latitude},${longitude}`;
  const known = cells.get(key);
  if (known !== undefined) return known;
  const degrees = [Number.parseFloat(latitude), Number.parseFloat(longitude)] as const;
  if (!(Math.abs(degrees[0]) <= 90 && Math.abs(degrees[1]) <= 180)) return null;
  const cell = latLngToCell(degrees[0], degrees[1], resolution);
  if (cells.size >= mostCells) cells.clear();
  cells.set(key, cell);
  return cell;
}
