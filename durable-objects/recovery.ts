import { outputTopics, type OutputTopic } from "../src/auction/state.ts";
import { topics } from "../src/topology.ts";
import type { PartitionDependencies } from "./dependencies.ts";

/**
 * How far back from a topic's end the highest sequence is looked for. The last record need not
 * have it: a produce that was given up and repeated may land late, behind newer ones. One produce
 * holds at most 1,000 outputs, so this covers several that land late in a row.
 */
const tailRecords = 8_000;
const timeoutMs = 10_000;

/**
 * The highest sequence that this group and partition wrote to each output topic, 0 where it wrote
 * none. Read before anything is applied on empty storage: outputs up to it are not sent again.
 * @throws {LogError}
 */
export async function highestSequences(
  dependencies: PartitionDependencies,
  source: string,
): Promise<Record<OutputTopic, number>> {
  const highest = { completed: 0, notifications: 0, deadLetters: 0 };
  for (const topic of outputTopics) {
    highest[topic] = await highestIn(dependencies, dependencies.settings.topicPrefix + topics[topic], source);
  }
  return highest;
}

async function highestIn(
  dependencies: PartitionDependencies,
  topic: string,
  source: string,
): Promise<number> {
  const { clock, log, partition } = dependencies;
  const [end] = await log.offsets("latest", [{ topic, partition }], clock.now() + timeoutMs);
  const endOffset = end?.offset ?? 0;
  let highest = 0;
  for (let offset = Math.max(0, endOffset - tailRecords); offset < endOffset;) {
    const { records } = await log.fetch({ topic, partition, offset }, clock.now() + timeoutMs);
    const last = records.at(-1);
    if (last === undefined) break;
    for (const { headers } of records) {
      if (!headers.some(({ key, value }) => key === "ce_source" && value === source)) continue;
      const sequence = headers.find(({ key }) => key === "gavel_sequence");
      highest = Math.max(highest, Number(sequence?.value ?? 0));
    }
    offset = last.offset + 1;
  }
  return highest;
}
