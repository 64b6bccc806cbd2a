import { setTimeout as sleep } from "node:timers/promises";
import { Admin, type ClusterMetadata } from "@platformatic/kafka";

/** A look that gets no answer is given up after this. */
const lookMs = 2_000;
const pauseMs = 50;

/** What one of the brokers knows of its cluster. @throws {Error} when none answers. */
export async function askCluster(brokers: readonly string[]): Promise<ClusterMetadata> {
  const admin = new Admin({
    clientId: "gavel-local",
    bootstrapBrokers: [...brokers],
    retries: 0,
    connectTimeout: lookMs,
    requestTimeout: lookMs,
  });
  try {
    return await admin.metadata({ topics: [], forceUpdate: true });
  } finally {
    await admin.close();
  }
}

/**
 * Waits until a broker answers, and knows a controller and so many brokers, itself among them.
 * @throws {Error} with the last reason once the signal ends the wait.
 */
export async function untilAnswering(
  { id, port }: { readonly id: number; readonly port: number },
  brokers: number,
  signal: AbortSignal,
): Promise<ClusterMetadata> {
  let reason = "it was never asked";
  while (!signal.aborted) {
    try {
      const metadata = await askCluster([`127.0.0.1:${port}`]);
      const ready = metadata.brokers.has(id) && metadata.controllerId >= 0;
      if (ready && metadata.brokers.size >= brokers) return metadata;
      reason = `it knows ${metadata.brokers.size} of ${brokers} brokers`;
    } catch (error) {
      reason = String(error);
    }
    await sleep(pauseMs);
  }
  throw new Error(`broker ${id} does not answer on port ${port}: ${reason}`);
}
