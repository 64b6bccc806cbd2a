import { inject } from "vitest";
import { topics } from "../../../src/topics.ts";
import { adminOf, removeTopics } from "../../support/kafka-log.ts";
import type { SharedKafka } from "../../support/start-kafka.ts";

/**
 * The log behind the Gavels of these tests: the real broker of the project `kafka`, which runs the
 * same files as the project `e2e`, or undefined for the embedded log.
 */
const shared = inject("kafka") as SharedKafka | undefined;
export const kafka = shared?.bootstrap;

/** Makes room for a home that begins with an empty log; an embedded one is the home's own. */
export async function emptyLog(): Promise<void> {
  if (kafka === undefined) return;
  const admin = adminOf(kafka);
  await removeTopics(admin, Object.values(topics));
  await admin.close();
}
