import { cellToParent, getResolution } from "h3-js";
import { describe, expect, test } from "vitest";
import { describeEdge, type Geography } from "../../../src/ingest/enrich.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");
const credential = { id: "mobile", scopes: new Set<never>(), subject: "ben" };
const byWhom = { receivedAt: "2026-11-24T12:00:00.000Z", credential: "mobile", subject: "ben" };
const berlin = {
  country: "DE",
  region: "Land Berlin",
  city: "Berlin",
  continent: "EU",
  timezone: "Europe/Berlin",
  asn: 3320,
  colo: "TXL",
  latitude: "52.52",
  longitude: "13.40",
};

/** What a record says of the place alone. */
function placeOf(geography: Geography | undefined) {
  const {
    receivedAt: _at,
    credential: _by,
    subject: _who,
    ...place
  } = describeEdge(geography, credential, now);
  return place;
}

test("the edge says where and by whom, and holds no address", () => {
  const connection = { ...berlin, clientIp: "203.0.113.7", botManagement: { score: 1 } };
  const { latitude: _latitude, longitude: _longitude, ...named } = berlin;
  expect(describeEdge(connection, credential, now)).toEqual({ ...named, cell: "851f1d4bfffffff", ...byWhom });
});

test("where the platform says nothing, the edge says when and by whom", () => {
  expect(describeEdge(undefined, credential, now)).toEqual(byWhom);
  expect(describeEdge({}, { id: "mobile", scopes: new Set() }, now)).toEqual({
    receivedAt: byWhom.receivedAt,
    credential: "mobile",
  });
});

describe("a field of request.cf is kept only as what it should be", () => {
  test.each([
    ["null", null],
    ["a number", 5],
    ["no text", ""],
    ["an object", { DE: true }],
    ["half a character", "Berl\ud800n"],
  ])("as text: %s is left out", (_, value) => {
    const fields = ["country", "region", "city", "continent", "timezone", "colo", "latitude", "longitude"];
    expect(placeOf(Object.fromEntries(fields.map((field) => [field, value])))).toEqual({});
  });

  test.each([null, "3320", 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    "as a network's number: %s is left out",
    (asn) => expect(placeOf({ asn, colo: "TXL" })).toEqual({ colo: "TXL" }),
  );

  test.each(["de", "DEU", "D", "__proto__", "1A", "X1"])("as a country's code: %s is left out", (country) => {
    expect(placeOf({ country, city: "Berlin" })).toEqual({ city: "Berlin" });
  });
});

test("of somebody who comes by Tor, the edge knows that alone: the place would be the exit's", () => {
  expect(placeOf({ ...berlin, country: "T1" })).toEqual({ country: "T1", asn: 3320, colo: "TXL" });
});

test("a country that the platform does not know is none", () => {
  expect(placeOf({ country: "XX", asn: 64_500, colo: "TXL" })).toEqual({ asn: 64_500, colo: "TXL" });
});

describe("a cell is as fine as what is known justifies, and no finer", () => {
  const cell = "851f1d4bfffffff";
  const { latitude, longitude } = berlin;

  test("a city's coordinates are at resolution 5", () => {
    expect(placeOf({ country: "DE", city: "Berlin", latitude, longitude }).cell).toBe(cell);
  });

  test("a region's are one step finer than its country's cell", () => {
    const country = placeOf({ country: "DE" }).cell ?? "";
    const region = placeOf({ country: "DE", region: "Land Berlin", latitude, longitude }).cell;
    expect(getResolution(country)).toBe(1);
    expect(region).toBe(cellToParent(cell, 2));
    // A country that is in no table may be as large as any.
    const unknown = placeOf({ region: "Land Berlin", latitude, longitude }).cell;
    expect(unknown).toBe(cellToParent(cell, 0));
    // No region has a cell finer than a city's.
    const monaco = { country: "MC", region: "Monaco", latitude: "43.73", longitude: "7.42" };
    expect(getResolution(placeOf(monaco).cell ?? "")).toBe(5);
  });

  test("a country's cell is around its centre, whatever coordinates come with it", () => {
    expect(placeOf({ country: "NL", latitude: "52.37", longitude: "4.89" }).cell).toBe(
      placeOf({ country: "NL" }).cell,
    );
    expect(getResolution(placeOf({ country: "NL" }).cell ?? "")).toBe(2);
    expect(getResolution(placeOf({ country: "US" }).cell ?? "")).toBe(0);
    expect(getResolution(placeOf({ country: "MC" }).cell ?? "")).toBe(5);
  });

  test("a city without coordinates has its country's cell, and without a country none", () => {
    expect(placeOf({ country: "DE", city: "Berlin" }).cell).toBe(placeOf({ country: "DE" }).cell);
    expect(placeOf({ city: "Berlin" }).cell).toBeUndefined();
  });

  test("coordinates of nothing that has a name give none", () => {
    expect(placeOf({ latitude, longitude })).toEqual({});
  });

  test.each([
    ["91", "0"],
    ["0", "181"],
    ["-90.01", "0"],
    ["", ""],
    ["north", "east"],
    ["NaN", "0"],
    ["Infinity", "0"],
    [52.52, 13.4],
    [null, "0"],
  ])("coordinates that are none (%s, %s) give none", (wrongLatitude, wrongLongitude) => {
    expect(placeOf({ city: "Berlin", latitude: wrongLatitude, longitude: wrongLongitude })).toEqual({
      city: "Berlin",
    });
  });
});
