import type { Clock } from "../../lib/clock.ts";
import { describeError, type Logger } from "../../lib/log.ts";
import type { Result } from "../../lib/result.ts";
import { formatTimestamp } from "../../lib/time.ts";
import { eventTypes } from "../../topics.ts";
import { type CompletedAuction, type CompletedEvent, decodeCompleted } from "../completed-event.ts";
import type { Invoke, InvocationResult, Outcome } from "../function.ts";
import { type LookedUp, ProfileCache } from "./profile-cache.ts";
import { type DatedProfile, LookUpError, type ProfileSource } from "./profile-source.ts";

/** How old a profile may be, and what becomes of an event that has none. */
export interface EnrichPolicy {
  /** A kept profile that is older, in milliseconds, is stale. */
  readonly maximumAgeMs: number;
  /**
   * - `use`: a stale profile is used at once and renewed beside the call; no outage stops what is
   *   kept of an earlier look-up.
   * - `reload`: it is looked up again first, and what the source then says is used, however old it is.
   * - `fail`: as `reload`, but what is stale even then is not used: the event is tried again.
   */
  readonly stale: "use" | "reload" | "fail";
  /**
   * The source has no profile. `pass`: the event goes on without (null). `park`: it is tried again
   * until there is one, then a dead letter. `reject`: it is a dead letter at once.
   */
  readonly missing: "pass" | "park" | "reject";
}

export interface EnrichDependencies {
  readonly source: ProfileSource;
  readonly policy: EnrichPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Profiles kept in memory, of one generation; twice as many at most. */
  readonly capacity?: number;
}

/**
 * The function `enrich`: a completed auction with the profiles of its seller and its winner, in band.
 * One look-up serves all records of a call; what it finds is kept in the memory of the object that
 * made the function, for as long as the policy allows.
 *
 * In an outage of the source events go on whose profiles are kept, and none goes on without its profile
 * because of it. The others fail the call as a whole; but with `use`, where some go on, they are tried
 * again by themselves, so that no circuit opens and holds up what needs no source.
 *
 * A profile that changes later rewrites no event. The output is committed to the outbox in the
 * transaction that finishes the record. Until then a crash may have the record called again, with
 * what the profile is by then, but nobody has seen the first answer: it was in memory alone. From
 * then on the record is finished and called no more, and what is sent again, after a crash or an
 * ambiguous produce, is the outbox's text. Only a seek back has the record called anew; what it then
 * makes is sent as well, under the id that it had: the first record of an id counts.
 */
export function createEnrich(dependencies: EnrichDependencies): Invoke {
  const { policy, clock } = dependencies;
  const profiles = new ProfileCache({
    ...dependencies,
    maximumAgeMs: policy.maximumAgeMs,
    useStale: policy.stale === "use",
  });
  return async ({ records }) => {
    const events = records.map(decodeCompleted);
    const ids = new Set(events.flatMap((event) => (event.ok ? partiesOf(event.value.auction) : [])));
    const lookedUp = await profiles.read(ids);
    const now = clock.now();
    return resultOf(
      events.map((event) => outcomeOf(event, lookedUp, policy, now)),
      lookedUp,
      policy,
    );
  };
}

/** The seller, and the winner where there is one. */
function partiesOf({ sellerId, winner }: CompletedAuction): string[] {
  return winner === undefined ? [sellerId] : [sellerId, winner.bidderId];
}

/** @param outcomes undefined for the events whose profiles could not be looked up */
function resultOf(
  outcomes: readonly (Outcome | undefined)[],
  { failed }: LookedUp,
  { stale }: EnrichPolicy,
): InvocationResult {
  if (failed.size === 0) return { outcomes };
  const [error] = failed.values();
  const delayMs = error instanceof LookUpError ? error.delayMs : undefined;
  const failure = { reason: describeError(error), ...(delayMs === undefined ? {} : { delayMs }) };
  const someGoOn = outcomes.some((outcome) => outcome?.status === "done");
  if (stale !== "use" || !someGoOn) return { outcomes, failure };
  return { outcomes: outcomes.map((outcome) => outcome ?? { status: "retry", ...failure }) };
}

function rejected(reason: string): Outcome {
  return { status: "reject", reason };
}

function outcomeOf(
  event: Result<CompletedEvent, string>,
  { found, failed }: LookedUp,
  policy: EnrichPolicy,
  now: number,
): Outcome | undefined {
  if (!event.ok) return rejected(event.error);
  const { auction, data } = event.value;
  if (partiesOf(auction).some((id) => failed.has(id))) return undefined;
  for (const id of partiesOf(auction)) {
    const fault = faultOf(id, found.get(id), policy, now);
    if (fault !== undefined) return fault;
  }
  const enriched = {
    ...data,
    profiles: {
      seller: describeProfile(found.get(auction.sellerId), now),
      winner: auction.winner === undefined ? null : describeProfile(found.get(auction.winner.bidderId), now),
    },
  };
  return {
    status: "done",
    outputs: [{ topic: "validated", type: eventTypes.itemValidated, data: enriched }],
  };
}

/** Why the event cannot go on with what is known of one party; undefined where it can. */
function faultOf(
  id: string,
  looked: Result<DatedProfile, string> | undefined,
  { maximumAgeMs, stale, missing }: EnrichPolicy,
  now: number,
): Outcome | undefined {
  if (looked === undefined) {
    if (missing === "pass") return undefined;
    return { status: missing === "park" ? "retry" : "reject", reason: `There is no profile of ${id}` };
  }
  if (!looked.ok) return { status: "retry", reason: `What the source has of ${id} ${looked.error}` };
  const age = now - looked.value.asOf;
  if (stale !== "fail" || age <= maximumAgeMs) return undefined;
  return { status: "retry", reason: `The source's profile of ${id} is ${age} ms old` };
}

function describeProfile(looked: Result<DatedProfile, string> | undefined, now: number) {
  if (looked?.ok !== true) return null;
  const { profile, asOf } = looked.value;
  return { ...profile, asOf: formatTimestamp(asOf), ageMs: Math.max(0, now - asOf) };
}
