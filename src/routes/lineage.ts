import { problemFromLog } from "../kafka/pinned-topics.ts";
import { partitionFor } from "../kafka/partitioner.ts";
import { LogError } from "../kafka/port.ts";
import { Problem } from "../lib/problem.ts";
import { lineageView } from "../lineage/answer.ts";
import type { PartitionTrail } from "../lineage/find.ts";
import { followEvent } from "../lineage/follow.ts";
import { LogReads } from "../lineage/log-reads.ts";
import type { Services } from "../services.ts";
import { topics, writtenTopics } from "../topics.ts";
import { readersOf } from "../topology.ts";
import { admit, type AppContext } from "./operation.ts";
import { lineageParameters, readParameters } from "./parameters.ts";

const timeoutMs = 8_000;
/** Fetches of one question, of up to 1 MiB each. */
const mostFetches = 24;

/** `GET /v1/events/{id}/lineage?source&item`. A bound subject sees what it sent itself. */
export async function getLineage(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "read");
  const id = readEventId(context.req.param("id"));
  const { source, item } = readParameters(lineageParameters, context.req.query());
  const { subject } = credential;
  const wanted = {
    id,
    ...(source === undefined ? {} : { source }),
    ...(item === undefined ? {} : { itemId: item }),
    ...(subject === undefined ? {} : { subject }),
  };
  const { topicPrefix } = services.config;
  const sources = {
    reads: new LogReads(services.log, services.clock.now() + timeoutMs, mostFetches),
    names: writtenTopics(topicPrefix),
    nameOf: (role: keyof typeof topics) => topicPrefix + topics[role],
    readersOf: (role: keyof typeof topics) =>
      readersOf(role).map((group) => ({ group, objects: services.functionPartitions[group] })),
  };
  try {
    return context.json(lineageView(await followEvent(sources, await trailsOf(services, id, item), wanted)));
  } catch (error) {
    throw error instanceof LogError ? problemFromLog(error) : error;
  }
}

/** What the item's partition knows of the id; every partition where no item is named. @throws {Problem} */
async function trailsOf(
  { config, partitions }: Services,
  id: string,
  item: string | undefined,
): Promise<readonly PartitionTrail[]> {
  if (item === undefined) {
    const answers = await partitions.callAll((object) => object.trailOf(id));
    return answers.map((answer, partition) => ({ ...answer, partition }));
  }
  const partition = partitionFor(item, config.partitionCount);
  return [{ ...(await partitions.call(partition, (object) => object.trailOf(id))), partition }];
}

/** An id that no event can have is one that is not known. @throws {Problem} */
function readEventId(parameter: string | undefined): string {
  const length = Array.from(parameter ?? "").length;
  if (parameter !== undefined && length >= 1 && length <= 256) return parameter;
  throw new Problem("unknown-event", "No event can have this id");
}
