import { setTimeout as sleep } from "node:timers/promises";
import type { GavelProcess } from "../../../local/gavel-process.ts";
import type { KafkaCluster } from "../../../local/kafka/cluster.ts";
import { topics } from "../../../src/topics.ts";
import type { History, Period } from "../../support/history/history.ts";
import { partitionCount } from "../../e2e/support/log-reader.ts";
import { AuctionLoad } from "./auction-load.ts";
import { type BrokerFault, brokerFaults } from "./broker-faults.ts";
import { untilInSync } from "./brokers.ts";

/** No fault is so bad that the system may take longer to go on by itself. Milliseconds. */
const patienceMs = 60_000;

/** What one fault did. Times in milliseconds. */
export interface FaultReport {
  readonly fault: string;
  /** From the fault, or from its mending where it left too few brokers, to acknowledgements in every partition. */
  readonly recoveryMs: number;
  /** From its mending until all brokers are in sync again. */
  readonly mendingMs: number;
  /** While there were too few brokers; null for a fault that left enough. */
  readonly outage: Period | null;
}

export interface FailoverOptions {
  readonly cluster: KafkaCluster;
  readonly gavel: GavelProcess;
  readonly history: History;
  /** Called while too few brokers are left, once a fault. */
  readonly duringOutage: () => Promise<void>;
}

/** Lets every fault strike while clients list and bid. @returns once all that was sent is decided. */
export async function runFailover(options: FailoverOptions): Promise<FaultReport[]> {
  const { gavel, history } = options;
  const { url, keys } = gavel.local;
  const load = new AuctionLoad(history, () => ({ url, key: keys.backend }));
  load.start();
  const failed = load.running.then(() => Promise.reject(new Error("the clients ended by themselves")));
  // Looked at in the race below; until then nobody listens.
  failed.catch(() => undefined);
  const reports: FaultReport[] = [];
  try {
    await Promise.race([acknowledgedEverywhere(history, Date.now()), failed]);
    for (const [index, fault] of brokerFaults.entries()) {
      if (index === brokerFaults.length - 1) load.listNoMoreEndings();
      reports.push(await Promise.race([meet(fault, options), failed]));
    }
  } finally {
    await load.stop();
  }
  return reports;
}

async function meet(
  fault: BrokerFault,
  { cluster, history, duringOutage }: FailoverOptions,
): Promise<FaultReport> {
  // While it lasts nobody can say when it ends.
  const disturbance = { from: Date.now(), until: Number.POSITIVE_INFINITY };
  history.disturbances.push(disturbance);
  const mend = await fault.strike(cluster);
  const struckAt = Date.now();
  const whileBroken = fault.leavesEnough ? await acknowledgedEverywhere(history, struckAt) : null;
  if (!fault.leavesEnough) await duringOutage();
  await sleep(Math.max(0, struckAt + fault.holdMs - Date.now()));
  const mendedAt = Date.now();
  await mend();
  const recoveryMs =
    whileBroken === null
      ? (await acknowledgedEverywhere(history, mendedAt)) - mendedAt
      : whileBroken - struckAt;
  await untilInSync(cluster.bootstrap, Object.values(topics), cluster.nodes.length);
  disturbance.until = Date.now();
  return {
    fault: fault.name,
    recoveryMs,
    mendingMs: disturbance.until - mendedAt,
    outage: fault.leavesEnough ? null : { from: struckAt, until: mendedAt },
  };
}

/** Waits until something sent after a moment is acknowledged in every partition. @returns when it was. */
async function acknowledgedEverywhere(history: History, since: number): Promise<number> {
  const seen = new Set<number>();
  const deadline = Date.now() + patienceMs;
  for (let next = history.acknowledged.length; ;) {
    for (; next < history.acknowledged.length; next++) {
      const acknowledgement = history.acknowledged[next];
      if (acknowledgement === undefined || acknowledgement.sentAt < since) continue;
      seen.add(acknowledgement.told.partition);
      if (seen.size === partitionCount) return acknowledgement.endedAt;
    }
    if (Date.now() > deadline) {
      throw new Error(`after ${patienceMs} ms only ${seen.size} partitions have acknowledged anything`);
    }
    await sleep(20);
  }
}
