import { problemFromLog } from "../kafka/pinned-topics.ts";
import { LogError } from "../kafka/port.ts";
import { Problem } from "../lib/problem.ts";
import { lineageView } from "../lineage/answer.ts";
import type { Wanted } from "../lineage/find.ts";
import { followEvent, type Lineage, type LineageSources } from "../lineage/follow.ts";
import { LogReads } from "../lineage/log-reads.ts";
import { trailsOf } from "../lineage/trails.ts";
import type { Services } from "../services.ts";
import { type TopicRole, topics, writtenTopics } from "../topics.ts";
import { readersOf } from "../topology.ts";
import { admit, type AppContext } from "./operation.ts";
import { lineageParameters, readParameters } from "./parameters.ts";

const timeoutMs = 8_000;
/** Fetches of one question, of up to 1 MiB each. */
const mostFetches = 24;

/** `GET /v1/events/{id}/lineage?source&item&subject`. A bound subject sees what it sent itself. */
export async function getLineage(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "read");
  const id = readEventId(context.req.param("id"));
  const { source, item, subject: sender } = readParameters(lineageParameters, context.req.queries());
  const { subject } = credential;
  const lineage = await find(services, {
    id,
    ...(source === undefined ? {} : { source }),
    ...(item === undefined ? {} : { itemId: item }),
    ...(sender === undefined ? {} : { sender }),
    ...(subject === undefined ? {} : { subject }),
  });
  return context.json(lineageView(lineage));
}

async function find(services: Services, wanted: Wanted): Promise<Lineage> {
  const { answered, silence } = await trailsOf(services, wanted.id, wanted.itemId);
  try {
    return await followEvent(sourcesOf(services), answered, wanted);
  } catch (error) {
    if (error instanceof LogError) throw problemFromLog(error);
    const isUnknown = error instanceof Problem && error.code === "unknown-event";
    throw isUnknown && silence !== undefined ? silence : error;
  }
}

function sourcesOf({ clock, config, functionPartitions, log }: Services): LineageSources {
  const { topicPrefix } = config;
  return {
    clock,
    reads: new LogReads(log, clock.now() + timeoutMs, mostFetches),
    names: writtenTopics(topicPrefix),
    nameOf: (role: TopicRole) => topicPrefix + topics[role],
    readersOf: (role) => readersOf(role).map((group) => ({ group, objects: functionPartitions[group] })),
  };
}

/** An id that no event can have is one that is not known. @throws {Problem} */
function readEventId(parameter: string | undefined): string {
  const length = Array.from(parameter ?? "").length;
  if (parameter !== undefined && length >= 1 && length <= 256) return parameter;
  throw new Problem("unknown-event", "No event can have this id");
}
