import type { Clock } from "../../lib/clock.ts";
import { GenerationalCache } from "../../lib/generational-cache.ts";
import { describeError, type Logger } from "../../lib/log.ts";
import type { Result } from "../../lib/result.ts";
import type { DatedProfile, ProfileSource } from "./profile-source.ts";

/** Profiles of one generation of the cache; two are kept. */
const capacity = 1_000;

export interface ProfileCacheOptions {
  readonly source: ProfileSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A profile that is older is looked up again. */
  readonly maximumAgeMs: number;
  /** Whether an older one is used meanwhile, which waits for nothing, or the look-up is waited for. */
  readonly useStale: boolean;
  /** Profiles of one generation. */
  readonly capacity?: number;
}

type Found = ReadonlyMap<string, Result<DatedProfile, string>>;

/**
 * Profiles in the memory of one object. An id that is being looked up is not looked up twice; what is
 * found is kept, what is not found or cannot be read is not, since it is waited for.
 */
export class ProfileCache {
  readonly #options: ProfileCacheOptions;
  readonly #kept: GenerationalCache<string, DatedProfile>;
  readonly #inFlight = new Map<string, Promise<Found>>();

  constructor(options: ProfileCacheOptions) {
    this.#options = options;
    this.#kept = new GenerationalCache(options.capacity ?? capacity);
  }

  /** The profiles of the ids that have one. @throws whatever the source does, where it had to be asked. */
  async read(ids: ReadonlySet<string>): Promise<Found> {
    const { clock, logger, maximumAgeMs, useStale } = this.#options;
    const found = new Map<string, Result<DatedProfile, string>>();
    const needed: string[] = [];
    const older: string[] = [];
    const oldest = clock.now() - maximumAgeMs;
    for (const id of ids) {
      const kept = this.#kept.get(id);
      if (kept === undefined || (kept.asOf < oldest && !useStale)) needed.push(id);
      else found.set(id, { ok: true, value: kept });
      if (kept !== undefined && kept.asOf < oldest && useStale) older.push(id);
    }
    // Beside the call: it keeps no event waiting, and what it fails to renew stays as it is.
    this.#lookUp(older).catch((error: unknown) => {
      logger("warn", "profiles-not-renewed", { profiles: older.length, error: describeError(error) });
    });
    for (const [id, profile] of await this.#lookUp(needed)) found.set(id, profile);
    return found;
  }

  /** Asks for what nobody is asking for, and waits for the rest with whoever does. */
  async #lookUp(ids: readonly string[]): Promise<Found> {
    const unasked = ids.filter((id) => !this.#inFlight.has(id));
    if (unasked.length > 0) {
      const flight = this.#ask(unasked);
      for (const id of unasked) this.#inFlight.set(id, flight);
    }
    const flights = new Set(ids.map((id) => this.#inFlight.get(id)).filter((flight) => flight !== undefined));
    const answers = await Promise.all(flights);
    const wanted = new Set(ids);
    return new Map(answers.flatMap((answer) => [...answer].filter(([id]) => wanted.has(id))));
  }

  async #ask(ids: readonly string[]): Promise<Found> {
    try {
      const found = await this.#options.source.find(ids);
      for (const [id, profile] of found) if (profile.ok) this.#kept.set(id, profile.value);
      this.#kept.trim();
      return found;
    } finally {
      for (const id of ids) this.#inFlight.delete(id);
    }
  }
}
