import { Buffer } from "node:buffer";
import { Reader, type Response as Found } from "mmdb-lib";
import type { Clock } from "../lib/clock.ts";
import { describeError, type Logger } from "../lib/log.ts";

/** What reading the countries of addresses touches outside itself. */
export interface CountryDataDependencies {
  /** The asset, whole. */
  readonly fetchData: () => Promise<ArrayBuffer>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells which country an address is in. */
export interface CountryData {
  /**
   * The country's ISO code, or null where it is not known. The first look-ups of an isolate wait for
   * the data, for a bounded time; without it nothing is known, and nobody is refused.
   * @param inBackground keeps the request's work alive behind its answer
   */
  countryOf(address: string, inBackground: (work: Promise<unknown>) => void): Promise<string | null>;
}

/** How long a request waits for the data at most. */
export const longestWaitMs = 1_000;
/** How often a request looks whether another one has brought it. */
const pollMs = 10;
/** A load that has not ended by then has gone with its request: the next look-up starts another. */
export const loadLifetimeMs = 10_000;
/** After a failure no other load is tried for so long. */
export const retryAfterMs = 60_000;

/**
 * Brings the data into the isolate with the first look-up that needs it, and keeps it.
 *
 * No request waits for another's promise: its I/O belongs to that one, and may end with it. What they
 * share are plain values: the reader once it is there, and when its load began. One request loads, so
 * that an isolate does not hold the data many times over; the others look again every few
 * milliseconds, on timers of their own.
 */
export function createCountryData(dependencies: CountryDataDependencies): CountryData {
  const { clock } = dependencies;
  const shared: Shared = { reader: undefined, loadingSince: undefined, noLoadBefore: 0, told: false };
  return {
    async countryOf(address, inBackground) {
      if (shared.reader === undefined) {
        if (clock.now() >= shared.noLoadBefore) inBackground(load(dependencies, shared));
        await untilLoaded(clock, shared);
      }
      return shared.reader === undefined ? null : lookUp(shared.reader, address);
    },
  };
}

interface Shared {
  reader: Reader<Found> | undefined;
  /** Absent while none is under way. */
  loadingSince: number | undefined;
  noLoadBefore: number;
  /** The failure has been logged: once in an isolate is enough. */
  told: boolean;
}

/** Counted from the load's start: one that hangs holds up only who was there in its first moments. */
async function untilLoaded(clock: Clock, shared: Shared): Promise<void> {
  while (shared.loadingSince !== undefined && clock.now() < shared.loadingSince + longestWaitMs) {
    await clock.sleep(pollMs);
  }
}

async function load({ fetchData, clock, logger }: CountryDataDependencies, shared: Shared): Promise<void> {
  const startedAt = clock.now();
  shared.loadingSince = startedAt;
  shared.noLoadBefore = startedAt + loadLifetimeMs;
  try {
    shared.reader = new Reader(Buffer.from(await fetchData()));
  } catch (error) {
    shared.noLoadBefore = clock.now() + retryAfterMs;
    if (!shared.told) logger("error", "country-data-unavailable", { reason: describeError(error) });
    shared.told = true;
  }
  // A later load may be under way by now, in place of this one.
  if (shared.loadingSince === startedAt) shared.loadingSince = undefined;
}

function lookUp(reader: Reader<Found>, address: string): string | null {
  try {
    return countryIn(reader.get(address));
  } catch {
    // Data that is broken where this address is: as if it were not in it.
    return null;
  }
}

/** The code in what the data says of an address. Two layouts are in use: with it at the top, and MaxMind's. */
export function countryIn(found: unknown): string | null {
  if (typeof found !== "object" || found === null) return null;
  const { country_code: code, country } = found as { country_code?: unknown; country?: unknown };
  const isoCode = (country as { iso_code?: unknown } | null | undefined)?.iso_code;
  return typeof code === "string" ? code : typeof isoCode === "string" ? isoCode : null;
}
