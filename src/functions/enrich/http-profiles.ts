import { z } from "zod";
import { parseJson } from "../../ingest/json.ts";
import { id, timestamp } from "../../ingest/schemas.ts";
import type { Clock } from "../../lib/clock.ts";
import { failure, ok, type Result } from "../../lib/result.ts";
import { parseTimestamp } from "../../lib/time.ts";
import { foreignProfileSchema } from "../../profiles/profile.ts";
import { AddressError, type GuardedFetch } from "../http/guarded-fetch.ts";
import { readAtMost } from "./bounded-body.ts";
import { type DatedProfile, LookUpError, type ProfileSource } from "./profile-source.ts";

/** Ids of one request. */
const mostIds = 200;
/** Of one answer: 200 profiles of the largest kind. */
const mostBytes = 4 * 1024 * 1024;
/** Longest wait that a `Retry-After` is given, in milliseconds. */
const longestDelayMs = 3_600_000;

const answerSchema = z.object({ profiles: z.array(z.looseObject({ id })) });

const entrySchema = foreignProfileSchema.extend({
  updatedAt: timestamp.optional(),
  asOf: timestamp.optional(),
});

export interface HttpProfilesOptions {
  readonly url: string;
  /** What keeps calls to where they may go, as functions are given it: it is handed the URL as it is. */
  readonly fetch: GuardedFetch;
  /** Of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of one request with its answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * An HTTPS look-up: `POST {"ids": […]}` is answered `200 {"profiles": [{"id", "displayName"?,
 * "country"?, "rating"?, "attributes"?, "updatedAt"?, "asOf"?}]}`, without the ids that are not known
 * there. `asOf` is when the profile was so, where the answer is itself from a copy; absent: now.
 */
export function createHttpProfiles(options: HttpProfilesOptions): ProfileSource {
  return {
    async find(ids) {
      const slices = Array.from({ length: Math.ceil(ids.length / mostIds) }, (_, index) =>
        ids.slice(index * mostIds, (index + 1) * mostIds),
      );
      const found = await Promise.all(slices.map((slice) => lookUp(options, slice)));
      return new Map(found.flat());
    },
  };
}

type Entry = readonly [id: string, Result<DatedProfile, string>];

async function lookUp(options: HttpProfilesOptions, ids: readonly string[]): Promise<Entry[]> {
  const now = options.clock.now();
  const bytes = await ask(options, ids);
  const asked = new Set(ids);
  return readAnswer(bytes)
    .filter((entry) => asked.has(entry.id))
    .map((entry) => [entry.id, readEntry(entry, now)]);
}

async function ask(
  { url, fetch, headers, timeoutMs, clock }: HttpProfilesOptions,
  ids: readonly string[],
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ ids }),
      // A redirect would lead where nobody checked that calls may go.
      redirect: "manual",
      signal,
    });
    if (response.status === 200) return await readAtMost(response, mostBytes, signal);
    await response.body?.cancel();
    throw new LookUpError(
      `The look-up answers ${response.status}`,
      retryAfterOf(response.headers, clock.now()),
    );
  } catch (error) {
    if (error instanceof LookUpError) throw error;
    if (error instanceof AddressError) throw new LookUpError(error.message);
    // What the network says may name addresses.
    throw new LookUpError(
      signal.aborted ? `The look-up takes longer than ${timeoutMs} ms` : "The look-up cannot be reached",
    );
  }
}

/** Seconds, or a date of HTTP. Source: RFC 9110, section 10.2.3. */
function retryAfterOf(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after") ?? "";
  const delayMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), longestDelayMs);
}

function readAnswer(bytes: Uint8Array): z.output<typeof answerSchema>["profiles"] {
  try {
    return answerSchema.parse(parseJson(bytes, "nearest")).profiles;
  } catch {
    throw new LookUpError("The look-up's answer is not what was agreed");
  }
}

function readEntry(entry: Readonly<Record<string, unknown>>, now: number): Result<DatedProfile, string> {
  const result = entrySchema.safeParse(entry);
  if (!result.success) return failure("is no profile");
  const { asOf, ...profile } = result.data;
  return ok({ profile, asOf: Math.min(asOf === undefined ? now : (parseTimestamp(asOf) ?? now), now) });
}
