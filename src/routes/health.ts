import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import { problemFromLog, topicFault } from "../kafka/pinned-topics.ts";
import { LogError } from "../kafka/port.ts";
import { describeError } from "../lib/log.ts";
import { Problem, retryAfterSeconds } from "../lib/problem.ts";
import { type Services, servicesFor } from "../services.ts";
import { topics as topicNames, writtenTopics } from "../topics.ts";
import type { AppContext } from "./operation.ts";

/** Longest wait for the log or for an object, in milliseconds. */
const longestCheckMs = 2000;

/** How long an answer holds, in milliseconds: nobody is asked for a credential, and each check calls every object. */
const freshForMs = 1000;

/** What was found wrong; null where nothing was. */
interface Readiness {
  readonly checkedAt: number;
  readonly log: string | null;
  /** Of topics that the edge does not write. It is told: what needs them says for itself that it does not move. */
  readonly topics: string | null;
  readonly partitions: string | null;
  /** What was lost for good. It is told, and keeps nothing from going on. */
  readonly history: string | null;
}

/** `GET /healthz`: the Worker runs. */
export function getHealth(): Response {
  return Response.json({ status: "ok" });
}

const latest = new WeakMap<Services, Readiness>();

/**
 * `GET /readyz`: the log answers and has the pinned partition count, and every partition's object
 * answers. The reasons name no address.
 */
export async function getReadiness(context: AppContext): Promise<Response> {
  const services = servicesFor(context.env);
  const now = services.clock.now();
  let readiness = latest.get(services);
  if (readiness === undefined || now - readiness.checkedAt >= freshForMs) {
    const [log, partitions] = await Promise.all([checkLog(services), checkPartitions(services)]);
    readiness = { checkedAt: now, ...log, ...partitions };
    latest.set(services, readiness);
  }
  const checks = {
    log: readiness.log ?? "ok",
    partitions: readiness.partitions ?? "ok",
    ...(readiness.topics === null ? {} : { topics: readiness.topics }),
    ...(readiness.history === null ? {} : { history: readiness.history }),
  };
  if (readiness.log === null && readiness.partitions === null)
    return Response.json({ status: "ready", checks });
  context.var.operation.fields.checks = checks;
  const headers = { "retry-after": String(retryAfterSeconds) };
  return Response.json({ status: "unready", checks }, { status: 503, headers });
}

/** Asks the log itself: the answer that writing goes by may be a minute old. */
async function checkLog({ log, clock, config }: Services): Promise<Pick<Readiness, "log" | "topics">> {
  const { partitionCount, topicPrefix } = config;
  const written: readonly string[] = Object.values(writtenTopics(topicPrefix));
  const others = Object.values(topicNames)
    .map((name) => topicPrefix + name)
    .filter((name) => !written.includes(name));
  try {
    const counts = await log.topics(clock.now() + longestCheckMs);
    const faultsOf = (names: readonly string[]) =>
      names.flatMap((name) => topicFault(counts, name, partitionCount)?.detail ?? []);
    const wrong = faultsOf(others);
    return { log: faultsOf(written)[0] ?? null, topics: wrong.length === 0 ? null : wrong.join("; ") };
  } catch (error) {
    return {
      log: error instanceof LogError ? problemFromLog(error).detail : describeError(error),
      topics: null,
    };
  }
}

/** What keeps partitions from moving, null when they all do. */
function stalledOf(statuses: readonly PartitionStatus[]): string | null {
  const stalled = statuses.filter((status) => status.stalled !== undefined);
  if (stalled.length === 0) return null;
  return stalled.map(({ partition, stalled: why }) => `Partition ${partition}: ${why ?? ""}`).join("; ");
}

/** What the log deleted before partitions read it, null where nothing was. */
function lostOf(statuses: readonly PartitionStatus[]): string | null {
  const lost = statuses.flatMap(({ partition, lostOffsets, lastLoss }) => {
    if (lastLoss === undefined) return [];
    const { topic, from, to } = lastLoss;
    return [
      `Partition ${partition}: ${lostOffsets} offsets deleted unread, last ${topic} ${from} to ${to - 1}`,
    ];
  });
  return lost.length === 0 ? null : lost.join("; ");
}

async function checkPartitions({
  partitions,
  clock,
}: Services): Promise<Pick<Readiness, "partitions" | "history">> {
  const unanswered = (why: string) => ({ partitions: why, history: null });
  const answers = partitions
    .callAll((object) => object.status())
    .then(
      (statuses) => ({ partitions: stalledOf(statuses), history: lostOf(statuses) }),
      (error: unknown) => unanswered(error instanceof Problem ? error.detail : "An object failed"),
    );
  const late = clock
    .sleep(longestCheckMs)
    .then(() => unanswered("The partitions' objects do not answer in time"));
  return Promise.race([answers, late]);
}
