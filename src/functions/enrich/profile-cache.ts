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

export interface LookedUp {
  /** The profiles of the ids that have one. */
  readonly found: Found;
  /** Ids of which nothing is known, since the source had to be asked and did not answer; with its error. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/**
 * Profiles in the memory of one object. An id that is being looked up is not looked up twice; what is
 * found is kept until an answer is without it. What is not found or cannot be read is not kept, since
 * it is waited for.
 */
export class ProfileCache {
  readonly #options: ProfileCacheOptions;
  readonly #kept: GenerationalCache<string, DatedProfile>;
  readonly #inFlight = new Map<string, Promise<Found>>();

  constructor(options: ProfileCacheOptions) {
    this.#options = options;
    this.#kept = new GenerationalCache(options.capacity ?? capacity);
  }

  /** A look-up that fails keeps nobody from what is kept, or is found by another one. */
  async read(ids: ReadonlySet<string>): Promise<LookedUp> {
    const { clock, maximumAgeMs, useStale } = this.#options;
    const kept = new Map<string, Result<DatedProfile, string>>();
    const needed: string[] = [];
    const older: string[] = [];
    const oldest = clock.now() - maximumAgeMs;
    for (const id of ids) {
      const profile = this.#kept.get(id);
      const isStale = profile !== undefined && profile.asOf < oldest;
      if (profile === undefined || (isStale && !useStale)) needed.push(id);
      else kept.set(id, { ok: true, value: profile });
      if (isStale && useStale) older.push(id);
    }
    void this.#renew(older);
    const { found, failed } = await this.#lookUp(needed);
    return { found: new Map([...kept, ...found]), failed };
  }

  /** Beside the call: it keeps no event waiting, and what it fails to renew stays as it is. */
  async #renew(ids: readonly string[]): Promise<void> {
    const { failed } = await this.#lookUp(ids);
    const [error] = failed.values();
    if (failed.size === 0) return;
    this.#options.logger("warn", "profiles-not-renewed", {
      profiles: failed.size,
      error: describeError(error),
    });
  }

  /** Asks for what nobody is asking for, and waits for the rest with whoever does. */
  async #lookUp(ids: readonly string[]): Promise<LookedUp> {
    const unasked = ids.filter((id) => !this.#inFlight.has(id));
    if (unasked.length > 0) {
      const flight = this.#ask(unasked);
      for (const id of unasked) this.#inFlight.set(id, flight);
    }
    const flights = ids.map((id) => this.#inFlight.get(id) ?? Promise.resolve<Found>(new Map()));
    const answers = await Promise.allSettled(flights);
    const found = new Map<string, Result<DatedProfile, string>>();
    const failed = new Map<string, unknown>();
    for (const [index, id] of ids.entries()) {
      const answer = answers[index];
      if (answer?.status === "rejected") failed.set(id, answer.reason);
      const profile = answer?.status === "fulfilled" ? answer.value.get(id) : undefined;
      if (profile !== undefined) found.set(id, profile);
    }
    return { found, failed };
  }

  async #ask(ids: readonly string[]): Promise<Found> {
    try {
      const found = await this.#options.source.find(ids);
      for (const id of ids) {
        const profile = found.get(id);
        if (profile === undefined) this.#kept.delete(id);
        else if (profile.ok) this.#kept.set(id, profile.value);
      }
      this.#kept.trim();
      return found;
    } finally {
      for (const id of ids) this.#inFlight.delete(id);
    }
  }
}
