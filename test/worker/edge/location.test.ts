import { env } from "cloudflare:workers";
import { latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { createAssets } from "../../../src/assets.ts";
import type { Env } from "../../../src/env.ts";
import { createCountryData } from "../../../src/ingest/country-data.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import {
  answered,
  call,
  type Coordinates,
  type KeyName,
  newBid,
  newItem,
  openItem,
  readRecord,
} from "./client.ts";

const proxy = {
  country: "DE",
  city: "Frankfurt am Main",
  asn: 3320,
  colo: "FRA",
  latitude: "50.11",
  longitude: "8.68",
};

/** What the record of an item says of where it came from. */
async function placeOf(
  headers: Record<string, string>,
  { key = "trusted", cf = proxy }: { key?: KeyName; cf?: Record<string, unknown> } = {},
): Promise<Record<string, unknown>> {
  const told = await answered<Coordinates>(call("/v1/items", { key, body: newItem(), headers, cf }), 202);
  const { value } = await readRecord(told);
  const { edge } = JSON.parse(value) as { edge: Record<string, unknown> };
  const { receivedAt: _at, credential: _by, ...place } = edge;
  return place;
}

const netherlands = { country: "NL", cell: "82196ffffffffff", colo: "FRA" };

describe("a credential that is trusted to forward says whose a request is", () => {
  test.each([
    ["IPv4", { "x-forwarded-for": "193.0.6.139" }],
    ["IPv6", { "x-forwarded-for": "2001:67c:2e8:22::c100:68b" }],
    ["mapped IPv6, with a port", { "x-forwarded-for": "[::ffff:193.0.6.139]:4711" }],
    ["behind private addresses", { "x-forwarded-for": "unknown, 10.0.0.1, 193.0.6.139, 8.8.8.8" }],
    ["Forwarded", { forwarded: 'for="[2001:67c:2e8:22::c100:68b]:443";proto=https' }],
  ])("by %s", async (_, headers) => {
    expect(await placeOf(headers)).toEqual(netherlands);
  });

  test("and where it says nobody's, or an address of no country, only the data centre is kept", async () => {
    for (const address of ["10.0.0.1", "203.0.113.7", "fd00::1", "unknown", "rubbish"]) {
      expect(await placeOf({ "x-forwarded-for": address })).toEqual({ colo: "FRA" });
    }
  });

  test("what it sends for itself is from where it is", async () => {
    const place = { ...proxy, cell: latLngToCell(50.11, 8.68, 5) };
    const { latitude: _latitude, longitude: _longitude, ...named } = place;
    expect(await placeOf({})).toEqual(named);
    expect(await placeOf({ forwarded: "proto=https" })).toEqual(named);
  });
});

test("nobody else's word for an address counts", async () => {
  const headers = {
    "x-forwarded-for": "193.0.6.139",
    forwarded: "for=193.0.6.139",
    "x-real-ip": "193.0.6.139",
  };
  expect(await placeOf(headers, { key: "backend" })).toMatchObject({
    country: "DE",
    city: "Frankfurt am Main",
  });
});

test("of Tor, of an unknown country and of fields that are none, the record says what is known", async () => {
  const place = (cf: Record<string, unknown>) => placeOf({}, { key: "backend", cf });
  expect(await place({ ...proxy, country: "T1", continent: "T1" })).toEqual({
    country: "T1",
    asn: 3320,
    colo: "FRA",
  });
  expect(await place({ country: "XX", asn: 3320 })).toEqual({ asn: 3320 });
  expect(await place({ country: null, city: null, asn: null, latitude: null })).toEqual({});
});

test("bids from places known more or less exactly are counted in cells of their own", async () => {
  const { itemId } = await openItem();
  const places = [
    { country: "LU", city: "Luxembourg", latitude: "49.61", longitude: "6.13" },
    { country: "LU", region: "Luxembourg", latitude: "49.61", longitude: "6.13" },
    { country: "LU" },
  ];
  for (const [index, cf] of places.entries()) {
    const body = newBid(itemId, { amount: 1000 + index });
    await answered(call("/v1/bids", { body, cf, headers: { prefer: "wait=10" } }), 200);
  }
  const cellsAt = async (resolution: number) => {
    const path = `/v1/stats/cells?resolution=${resolution}`;
    type Answer = { cells: { cell: string; country: string; bids: number }[] };
    const { cells } = await answered<Answer>(call(path), 200);
    return cells.filter(({ country }) => country === "LU").map(({ cell, bids }) => ({ cell, bids }));
  };
  const [city, region] = [latLngToCell(49.61, 6.13, 5), latLngToCell(49.61, 6.13, 4)];
  expect((await cellsAt(5)).map(({ cell }) => cell).toSorted()).toEqual(
    ["831fa3fffffffff", region, city].toSorted(),
  );
  // A cell that is coarser than asked for stays as it is; finer ones join their parents.
  expect((await cellsAt(3)).reduce((total, { bids }) => total + bids, 0)).toBe(3);
  expect(await cellsAt(0)).toEqual([{ cell: latLngToCell(49.61, 6.13, 0), bids: 3 }]);
});

test("an asset that is not there leaves requests without a place, and refuses none", async () => {
  const assets = createAssets((env as unknown as Env).ASSETS);
  const lines: unknown[] = [];
  const countries = createCountryData({
    fetchData: () => assets.read("nothing.mmdb", 1_000),
    clock: systemClock,
    logger: (_, event, fields) => lines.push({ event, ...fields }),
  });
  expect(await countries.countryOf("193.0.6.139", () => undefined)).toBeNull();
  expect(lines).toEqual([
    { event: "country-data-unavailable", reason: "Error: The asset nothing.mmdb is not there: 404" },
  ]);
});
