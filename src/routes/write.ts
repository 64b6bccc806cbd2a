import type { Outcome } from "../auction/events.ts";
import type { Scope } from "../config.ts";
import { answerNone, answerOne, answerSeveral } from "../ingest/answer.ts";
import type { Credential } from "../ingest/authenticate.ts";
import { readBody } from "../ingest/body.ts";
import {
  type DraftResult,
  draftFromCloudEvent,
  draftFromPlain,
  draftFromWithdrawal,
  type PlainContext,
} from "../ingest/draft.ts";
import type { Geography } from "../ingest/enrich.ts";
import { type Fate, ingest, isPublished } from "../ingest/ingest.ts";
import { locateClient } from "../ingest/location.ts";
import { type Parsed, parseCloudEvents, parseObject, parsePlain } from "../ingest/parse.ts";
import { parsePrefer } from "../ingest/prefer.ts";
import { type PublishedRecord, pushAndWait, pushRecords, pushToFunctions } from "../ingest/push.ts";
import { eventIdentifier } from "../ingest/schemas.ts";
import { describeError } from "../lib/log.ts";
import { Problem } from "../lib/problem.ts";
import { isDecoded } from "../lib/text.ts";
import type { Services } from "../services.ts";
import { eventTypes } from "../topics.ts";
import { noteFates } from "./note-fates.ts";
import { admit, type AppContext, idsOf } from "./operation.ts";

/** How one route reads its body; the rest of writing is the same for all. */
interface WriteRoute {
  readonly scopes: readonly Scope[];
  readonly parse: (headers: Headers, bytes: Uint8Array) => Parsed;
  readonly drafter: (context: AppContext, plain: PlainContextOf) => (document: unknown) => DraftResult;
}

type PlainContextOf = Omit<PlainContext, "type">;

const plain =
  (type: PlainContext["type"]): WriteRoute["drafter"] =>
  (_, shared) =>
  (document) => ({ draft: draftFromPlain(document, { type, ...shared }) });

/** `POST /v1/items`. */
export const postItems = writeHandler({
  scopes: ["items:write"],
  parse: parsePlain,
  drafter: plain(eventTypes.itemListed),
});

/** `POST /v1/bids`. */
export const postBids = writeHandler({
  scopes: ["bids:write"],
  parse: parsePlain,
  drafter: plain(eventTypes.bidPlaced),
});

/** `POST /v1/items/{itemId}/withdraw`. */
export const postWithdrawal = writeHandler({
  scopes: ["items:write"],
  parse: parseObject,
  drafter: (context, shared) => (body) =>
    draftFromWithdrawal(body, context.req.param("itemId") ?? "", {
      type: eventTypes.itemWithdrawn,
      ...shared,
    }),
});

/** `POST /v1/events`: each event's own type says which scope it needs. */
export const postEvents = writeHandler({
  scopes: ["items:write", "bids:write", "trusted-time"],
  parse: parseCloudEvents,
  drafter: () => draftFromCloudEvent,
});

function writeHandler(route: WriteRoute): (context: AppContext) => Promise<Response> {
  return async (context) => {
    const { services, credential } = await admit(context, ...route.scopes);
    const request = context.req.raw;
    const bytes = await readBody(request, services.config.limits);
    const { shape, documents } = route.parse(request.headers, bytes);
    const { operation } = context.var;
    if (documents.length === 0) return answerNone(operation.requestId);
    requireCount(documents.length, services.config.limits.maxBatchEvents);
    const geography = await locateClient(services.countries, credential, {
      headers: request.headers,
      connection: request.cf as Geography | undefined,
      inBackground: (work) => context.executionCtx.waitUntil(work),
    });
    // Behind the last wait for the client, whose slowness must not age the acceptance.
    const receivedAt = services.clock.now();
    const shared = plainContext(request.headers, shape, credential, receivedAt);
    const fates = await ingest(services, {
      documents,
      draft: route.drafter(context, shared),
      credential,
      trace: operation.trace,
      geography,
      receivedAt,
    });
    noteFates(operation, services.meters.metrics, fates, services.clock.now() - receivedAt);
    return shape === "one" ? finishOne(context, services, fates) : finishSeveral(context, services, fates);
  };
}

function requireCount(count: number, limit: number): void {
  if (count > limit) throw new Problem("too-many-events", `A body holds at most ${limit} events`);
}

/** What events of a plain body share: their source, and for a single one the idempotency key. */
function plainContext(
  headers: Headers,
  shape: Parsed["shape"],
  credential: Credential,
  now: number,
): PlainContextOf {
  const source = `/credentials/${credential.id}`;
  const key = headers.get("idempotency-key");
  if (key === null || shape === "several") return { source, now };
  if (!isDecoded(key) || !eventIdentifier.safeParse(key).success) {
    throw new Problem("invalid-header", "Idempotency-Key has 1 to 256 characters of UTF-8 and no controls");
  }
  return { source, now, id: key };
}

async function finishOne(
  context: AppContext,
  services: Services,
  [fate]: readonly Fate[],
): Promise<Response> {
  if (fate === undefined) throw new TypeError("One event has one fate");
  if (fate instanceof Problem) throw fate;
  const { waitSeconds } = parsePrefer(context.req.header("prefer") ?? null);
  if (waitSeconds === undefined) {
    pushInBackground(context, services, [fate]);
    return answerOne(fate, undefined);
  }
  return answerOne(fate, await awaitOutcome(context, services, fate, waitSeconds * 1000), waitSeconds);
}

function finishSeveral(context: AppContext, services: Services, fates: readonly Fate[]): Response {
  const { minimal } = parsePrefer(context.req.header("prefer") ?? null);
  const published = fates.filter(isPublished);
  if (published.length > 0) pushInBackground(context, services, published);
  return answerSeveral(fates, minimal);
}

/** The client has its acknowledgement by now; the push goes on behind the answer. */
function pushInBackground(
  context: AppContext,
  services: Services,
  published: readonly PublishedRecord[],
): void {
  const attributes = () => ({ records: published.length, trace: published[0]?.traceId ?? "" });
  tellFailures(
    context,
    services,
    services.spans.run("gavel.push", attributes, () => pushRecords(services, published)),
  );
}

function tellFailures(context: AppContext, { logger }: Services, push: Promise<number>): void {
  const operation = context.var.operation;
  const told = push.then((failures) => {
    if (failures > 0) logger("warn", "push-failed", { ...idsOf(operation), failures });
  });
  context.executionCtx.waitUntil(told);
}

/** What became of the record, or undefined when the time is up or the object does not answer. */
async function awaitOutcome(
  context: AppContext,
  services: Services,
  published: PublishedRecord,
  waitMs: number,
): Promise<Outcome | undefined> {
  const operation = context.var.operation;
  tellFailures(context, services, pushToFunctions(services, [published]));
  const attributes = () => ({ records: 1, trace: published.traceId });
  const pushed = services.spans.run("gavel.push", attributes, () => pushAndWait(services, published, waitMs));
  const push = pushed.then(
    (result) => result.outcome,
    (error: unknown) => {
      const told = { ...idsOf(operation), failures: 1, error: describeError(error) };
      services.logger("warn", "push-failed", told);
      return undefined;
    },
  );
  // The object keeps to the time itself; this holds where it does not answer at all.
  context.executionCtx.waitUntil(push);
  return Promise.race([push, services.clock.sleep(waitMs).then(() => undefined)]);
}
