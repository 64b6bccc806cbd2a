import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterMetadata } from "@platformatic/kafka";
import { messageOf, PlainError } from "../problem.ts";
import { askCluster } from "./answering.ts";

/** A broker that starts beside Gavel is waited for. */
const patienceMs = 10_000;

/** What the cluster at these addresses says of itself. @throws {PlainError} when nobody answers. */
export async function findKafka(brokers: readonly string[]): Promise<ClusterMetadata> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await askCluster(brokers);
    } catch (error) {
      if (Date.now() > deadline) {
        const where = brokers.join(", ");
        throw new PlainError(
          `no Kafka answers at ${where}: ${messageOf(error)} npm run kafka starts one at 127.0.0.1:9092.`,
        );
      }
    }
    await sleep(200);
  }
}
