import { cellArea, latLngToCell } from "h3-js";
import countries from "world-countries";

/** As in src/ingest/geocell.ts, which takes the table that is made here. */
const finestResolution = 5;

/**
 * The geocell of each country, by its ISO 3166-1 code: around its centre, and the finest that is not
 * smaller than the country. One that is larger than every cell, or of no known area, has the coarsest.
 */
export function countryCells(): ReadonlyMap<string, string> {
  const cells = countries.map(({ cca2, latlng, area }) => [cca2, cellAround(latlng, area)] as const);
  return new Map(cells.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function cellAround([latitude, longitude]: readonly [number, number], area: number): string {
  let cell = latLngToCell(latitude, longitude, 0);
  if (area <= 0) return cell;
  for (let resolution = 1; resolution <= finestResolution; resolution += 1) {
    const finer = latLngToCell(latitude, longitude, resolution);
    if (cellArea(finer, "km2") < area) break;
    cell = finer;
  }
  return cell;
}
