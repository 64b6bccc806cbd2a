import type { KafkaCluster } from "../../../local/kafka/cluster.ts";
import type { KafkaNode } from "../../../local/kafka/node.ts";
import { topics } from "../../../src/topics.ts";
import { leaderOf, leadingController, untilInSync } from "./brokers.ts";

/** Something that goes wrong with brokers, and how it is mended. */
export interface BrokerFault {
  readonly name: string;
  /** Whether enough brokers are left to acknowledge records before it is mended. */
  readonly leavesEnough: boolean;
  /** How long it lasts at least, in milliseconds. */
  readonly holdMs: number;
  /** Resolves once the fault is there, with what mends it. */
  strike(cluster: KafkaCluster): Promise<() => Promise<void>>;
}

/** How long a fault that leaves too few brokers lasts, in milliseconds. */
const outageMs = 4_000;
/** Longer than brokers and controllers wait for one that is silent. Milliseconds. */
const hangMs = 6_000;

/** In the order in which they strike. */
export const brokerFaults: readonly BrokerFault[] = [
  {
    name: "a broker is killed",
    leavesEnough: true,
    holdMs: 0,
    strike: async (cluster) => kill(cluster, await follower(cluster, 0)),
  },
  {
    name: "another broker is killed",
    leavesEnough: true,
    holdMs: 0,
    strike: async (cluster) => kill(cluster, await follower(cluster, 1)),
  },
  {
    name: "the controllers' leader is killed",
    leavesEnough: true,
    holdMs: 0,
    strike: async (cluster) => kill(cluster, await controller(cluster)),
  },
  {
    name: "a broker hangs",
    leavesEnough: true,
    holdMs: hangMs,
    strike: async (cluster) => hang(await leaderOfJournal(cluster)),
  },
  { name: "two brokers are killed at once", leavesEnough: false, holdMs: outageMs, strike: killTwo },
  {
    name: "two brokers hang, and the third is killed",
    leavesEnough: false,
    holdMs: outageMs,
    strike: killUnreplicated,
  },
  {
    name: "a broker is killed, and another one stopped",
    leavesEnough: false,
    holdMs: outageMs,
    strike: leaveOneInSync,
  },
];

async function kill({ nodes }: KafkaCluster, node: KafkaNode): Promise<() => Promise<void>> {
  await node.kill();
  return () => node.start(nodes.length);
}

/** Stopped, not ended: its connections stay, and nothing comes over them. */
async function hang(node: KafkaNode): Promise<() => Promise<void>> {
  await node.kill("SIGSTOP");
  return () => node.kill("SIGCONT");
}

/** Too few for the controllers as well: the brokers in sync stay the same three, two of them dead. */
async function killTwo(cluster: KafkaCluster): Promise<() => Promise<void>> {
  const two = [await controller(cluster), await follower(cluster, 0)];
  await Promise.all(two.map((node) => node.kill()));
  return startAgain(cluster, two);
}

/**
 * What the third takes meanwhile is in no other log, and goes with its leadership: had it been
 * acknowledged, it would be lost.
 */
async function killUnreplicated(cluster: KafkaCluster): Promise<() => Promise<void>> {
  const third = await leaderOfJournal(cluster);
  const others = cluster.nodes.filter((node) => node !== third);
  await Promise.all(others.map((node) => node.kill("SIGSTOP")));
  return async () => {
    await third.kill();
    await Promise.all(others.map((node) => node.kill("SIGCONT")));
    await third.start(cluster.nodes.length);
  };
}

/**
 * One that is stopped in order takes itself out of those in sync, while there is a controller to
 * tell: what is left leads everything, alone in sync, and refuses with NOT_ENOUGH_REPLICAS.
 */
async function leaveOneInSync(cluster: KafkaCluster): Promise<() => Promise<void>> {
  const [first, second] = [await follower(cluster, 0), await follower(cluster, 1)];
  await first.kill();
  const alive = cluster.bootstrap.filter((address) => !address.endsWith(`:${first.port}`));
  await untilInSync(alive, Object.values(topics), 2);
  await second.stop();
  return startAgain(cluster, [first, second]);
}

/** Together: while a majority of the controllers is down none gets so far as to be ready. */
function startAgain({ nodes }: KafkaCluster, down: readonly KafkaNode[]): () => Promise<void> {
  return async () => {
    await Promise.all(down.map((node) => node.start(nodes.length)));
  };
}

async function controller(cluster: KafkaCluster): Promise<KafkaNode> {
  return nodeOf(cluster, await leadingController(cluster.bootstrap));
}

/** The first or the second of the nodes that do not lead the controllers. */
async function follower(cluster: KafkaCluster, place: 0 | 1): Promise<KafkaNode> {
  const leader = await leadingController(cluster.bootstrap);
  const others = cluster.nodes.filter(({ id }) => id !== leader);
  return nodeOf(cluster, others[place]?.id);
}

async function leaderOfJournal(cluster: KafkaCluster): Promise<KafkaNode> {
  return nodeOf(cluster, await leaderOf(cluster.bootstrap, topics.journal, 0));
}

function nodeOf({ nodes }: KafkaCluster, id: number | undefined): KafkaNode {
  const node = nodes.find((one) => one.id === id);
  if (node === undefined) throw new Error(`no node has the id ${id}`);
  return node;
}
