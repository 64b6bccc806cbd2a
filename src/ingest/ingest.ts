import { LogError } from "../kafka/port.ts";
import type { Config } from "../config.ts";
import { type PinnedTopics, problemFromLog } from "../kafka/pinned-topics.ts";
import { Problem, problemFromIssues } from "../lib/problem.ts";
import type { RequestMetrics } from "../metrics/request-metrics.ts";
import type { Spans } from "../lib/spans.ts";
import type { TraceContext } from "../lib/trace-context.ts";
import type { Credential } from "./authenticate.ts";
import type { DraftResult } from "./draft.ts";
import { describeEdge, type Geography } from "./enrich.ts";
import { type ProduceDependencies, produceWithRetries } from "./produce.ts";
import type { PublishedRecord } from "./push.ts";
import { type PreparedRecord, recordMaker } from "./records.ts";
import { validateEvent } from "./validate.ts";

/** What publishing touches outside itself. */
export interface IngestDependencies extends ProduceDependencies {
  readonly config: Pick<Config, "partitionCount" | "produceTimeoutMs" | "topicPrefix">;
  readonly pinnedTopics: PinnedTopics;
  readonly meters: { readonly metrics: Pick<RequestMetrics, "produced"> };
  readonly spans: Spans;
}

/** One request's events and what is known of their sender. */
export interface Submission {
  readonly documents: readonly unknown[];
  /** Makes a draft of a document; which kind, the route knows. */
  readonly draft: (document: unknown) => DraftResult;
  readonly credential: Credential;
  /** The request's, which an event's own overrides. */
  readonly trace: TraceContext;
  readonly geography: Geography | undefined;
  /** The clock at acceptance, in milliseconds. */
  readonly receivedAt: number;
}

/** What became of one event: where it is in the log, or why it is not there. */
export type Fate = PublishedRecord | Problem;

/**
 * Takes a request's events through validation into the log, in one produce call and in body order.
 * Answers one fate per event; an event that is at fault keeps no other out.
 */
export async function ingest(services: IngestDependencies, submission: Submission): Promise<Fate[]> {
  const prepared = prepare(services, submission);
  const taken = prepared.filter((entry): entry is PreparedRecord => !(entry instanceof Problem));
  const published = await publish(services, taken, submission);
  let next = 0;
  return prepared.map((entry) => {
    if (entry instanceof Problem) return entry;
    const fate = published[next];
    next += 1;
    return fate ?? problemFromLog(new LogError("unavailable", "unknown", "The log gave no answer"));
  });
}

/** Whether the event is in the log. */
export function isPublished(fate: Fate): fate is PublishedRecord {
  return !(fate instanceof Problem);
}

function prepare({ config }: IngestDependencies, submission: Submission): (PreparedRecord | Problem)[] {
  const { credential, receivedAt } = submission;
  const toRecord = recordMaker({
    edge: describeEdge(submission.geography, credential, receivedAt),
    trace: submission.trace,
    topicPrefix: config.topicPrefix,
    partitionCount: config.partitionCount,
  });
  return submission.documents.map((document) => {
    const drafted = submission.draft(document);
    if ("issues" in drafted) return problemFromIssues(drafted.issues);
    const valid = validateEvent(drafted.draft, credential, receivedAt);
    return valid.ok ? toRecord(valid.value) : valid.error;
  });
}

/**
 * The deadline counts from the acceptance, whose time a bid carries: with it shorter than the
 * grace, a bid that is acknowledged is in the log before its item closes.
 */
async function publish(
  services: IngestDependencies,
  prepared: readonly PreparedRecord[],
  { receivedAt, trace }: Submission,
): Promise<Fate[]> {
  if (prepared.length === 0) return [];
  const deadline = receivedAt + services.config.produceTimeoutMs;
  try {
    await services.pinnedTopics.verify(deadline);
  } catch (error) {
    if (error instanceof Problem) return prepared.map(() => error);
    throw error;
  }
  const records = prepared.map(({ record }) => record);
  const since = services.clock.now();
  const attributes = () => ({ records: records.length, trace: trace.traceId });
  const results = await services.spans.run("gavel.produce", attributes, () =>
    produceWithRetries(services, records, deadline),
  );
  services.meters.metrics.produced((services.clock.now() - since) / 1_000);
  return prepared.map((item, index) => {
    const result = results[index];
    if (result?.ok === true) {
      const { ok: _ok, ...place } = result;
      return { ...item, ...place };
    }
    return problemFromLog(result?.error ?? new LogError("unavailable", "unknown", "The log gave no answer"));
  });
}
