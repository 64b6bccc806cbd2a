import type { Outcome } from "../auction/events.ts";
import { Problem, problemBody, retryAfterSeconds } from "../lib/problem.ts";
import { formatTimestamp } from "../lib/time.ts";
import type { Fate } from "./ingest.ts";
import type { PublishedRecord } from "./push.ts";

/** `202` with the coordinates; `200` with the outcome too, where it was asked for and is known. */
export function answerOne(
  published: PublishedRecord,
  outcome: Outcome | undefined,
  waitSeconds?: number,
): Response {
  const { event, record, offset, timestamp } = published;
  const body = {
    id: event.id,
    source: event.source,
    topic: record.topic,
    partition: record.partition,
    offset,
    timestamp: formatTimestamp(timestamp),
    ...(outcome === undefined ? {} : { outcome }),
  };
  // A plain object: a `Headers` of its own would be made to be copied.
  const headers = {
    "content-type": "application/json",
    location: `/v1/items/${event.itemId}`,
    ...(outcome === undefined ? {} : { "preference-applied": `wait=${waitSeconds}` }),
  };
  return new Response(JSON.stringify(body), { status: outcome === undefined ? 202 : 200, headers });
}

/** One result per event: `202` if all were taken, `207` if some, `422` or `503` if none. */
export function answerSeveral(fates: readonly Fate[], minimal: boolean): Response {
  const results: unknown[] = [];
  let rejected = 0;
  let failed = 0;
  for (const [index, fate] of fates.entries()) {
    if (fate instanceof Problem) {
      rejected += 1;
      if (fate.status === 503) failed += 1;
      results.push({ index, status: fate.status, code: fate.code, detail: fate.detail, errors: fate.errors });
    } else if (!minimal) results.push(accepted(index, fate));
  }
  const status = rejected === 0 ? 202 : rejected < fates.length ? 207 : failed > 0 ? 503 : 422;
  const headers = new Headers({ "content-type": "application/json" });
  if (minimal) headers.set("preference-applied", "return=minimal");
  if (status === 503) headers.set("retry-after", String(retryAfterSeconds));
  return new Response(JSON.stringify({ accepted: fates.length - rejected, rejected, results }), {
    status,
    headers,
  });
}

function accepted(index: number, { event, record, offset }: PublishedRecord) {
  return { index, status: 202, id: event.id, topic: record.topic, partition: record.partition, offset };
}

/** An empty array has no results to tell a reason in, so that the problem's members are beside them. */
export function answerNone(requestId: string): Response {
  const problem = new Problem("empty-batch", "Send at least one event");
  const body = { accepted: 0, rejected: 0, results: [], ...problemBody(problem, requestId) };
  return Response.json(body, { status: problem.status });
}
