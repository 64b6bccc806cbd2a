import type { TestProject } from "vitest/node";
import { type KafkaCluster, startKafka } from "../../local/kafka/cluster.ts";

/** The broker that all files share, as `inject("kafka")` hands it to tests. */
export type SharedKafka = Pick<KafkaCluster, "bootstrap" | "listeners" | "clusterId"> & {
  /** PEM of the certificate to trust on the listeners `SSL` and `SASL_SSL`. */
  readonly authority: string;
  /** PEM file with a key and its certificate, which also serves as a client's. */
  readonly certificateFile: string;
  /** Known to both SASL listeners, by each mechanism. */
  readonly user: { readonly name: string; readonly password: string };
};

declare module "vitest" {
  interface ProvidedContext {
    kafka: SharedKafka;
  }
}

const user = { name: "gavel", password: 'only "for" tests\\' };

/** Starts one real broker for the project; tests that kill brokers start clusters of their own. */
export default async function startSharedKafka(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startKafka({
    listeners: ["SSL", "SASL_PLAINTEXT", "SASL_SSL"],
    users: { [user.name]: user.password },
    // Compaction and retention within a test's patience.
    settings: {
      "log.cleaner.backoff.ms": "200",
      "log.initial.task.delay.ms": "100",
      "log.retention.check.interval.ms": "500",
    },
  });
  const { bootstrap, listeners, clusterId, authority = "", certificateFile = "" } = cluster;
  project.provide("kafka", { bootstrap, listeners, clusterId, authority, certificateFile, user });
  return () => cluster.stop();
}
