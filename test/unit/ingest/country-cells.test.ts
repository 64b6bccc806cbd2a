import { cellArea, getResolution, isValidCell } from "h3-js";
import { expect, test } from "vitest";
import countries from "world-countries";
import { countryCells as made } from "../../../scripts/country-cells/country-cells.ts";
import { countryCells } from "../../../src/ingest/country-cells.ts";

test("the table of countries is what its script makes of the package", () => {
  expect(Object.entries(countryCells)).toEqual([...made()]);
});

test("each country has a cell that is not smaller than it, as far as there are cells so large", () => {
  const smaller = countries
    .map(({ cca2, area }) => ({ cca2, area, cell: countryCells[cca2] ?? "" }))
    .filter(({ cell }) => isValidCell(cell) && getResolution(cell) <= 5)
    .filter(({ cell, area }) => cellArea(cell, "km2") < area);
  expect(Object.keys(countryCells)).toHaveLength(countries.length);
  expect(Object.values(countryCells).every((cell) => isValidCell(cell) && getResolution(cell) <= 5)).toBe(
    true,
  );
  // Larger than any cell there; Argentina is in one of the twelve pentagons, which are smaller.
  expect(smaller.every(({ cell }) => getResolution(cell) === 0)).toBe(true);
  expect(smaller.map(({ cca2 }) => cca2).toSorted()).toEqual([
    "AQ",
    "AR",
    "AU",
    "BR",
    "CA",
    "CN",
    "RU",
    "US",
  ]);
});
