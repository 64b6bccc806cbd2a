/** `npm run kafka`: one broker for development. See docs/local.md. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DeclaredTopic } from "../child-protocol.ts";
import { exitWith, messageOf, PlainError } from "../problem.ts";
import { openKafka } from "../open-log.ts";
import { declaredTopics, readVariables } from "../variables.ts";
import { prepareWorkerBundle } from "../worker-bundle.ts";
import { randomClusterId, startKafka } from "./cluster.ts";
import { DockerKafka, dockerRuns } from "./docker.ts";
import { isFree } from "./ports.ts";
import { kafkaProblem } from "./requirements.ts";
import { readSettings, type Settings, usage } from "./settings.ts";

/** What a development broker is, wherever it runs. */
interface RunningBroker {
  readonly bootstrap: readonly string[];
  untilEnded(): Promise<void>;
  stop(): Promise<void>;
}

main().catch(exitWith);

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === "help") {
    process.stdout.write(usage);
    return;
  }
  const asked = untilAsked();
  const broker = await startUnlessAsked(settings, asked);
  const orderly = await Promise.race([asked.then(() => true), broker.untilEnded().then(() => false)]);
  if (!orderly) throw new PlainError(`the broker ended unasked; see ${settings.directory}.`);
  await broker.stop();
  process.exit(0);
}

/** Resolves when a terminal or a supervisor asks for the end. */
function untilAsked(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => done());
  });
}

/** A start that is cut short ends with this process: what it has started watches it. */
async function startUnlessAsked(settings: Settings, asked: Promise<void>): Promise<RunningBroker> {
  let isStarting = true;
  void asked.then(() => isStarting && process.exit(0));
  const broker = await start(settings);
  isStarting = false;
  return broker;
}

async function start(settings: Settings): Promise<RunningBroker> {
  const { directory, port } = settings;
  if (!(await isFree(port))) {
    throw new PlainError(`port ${port} is in use. Free it, or choose another with KAFKA_PORT.`);
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const bundle = join(directory, "worker");
  await prepareWorkerBundle(bundle);
  const topics = declaredTopics(readVariables(bundle, process.env));

  const broker = await startBroker(settings);
  await makeTopics(broker, topics);
  report(settings, topics);
  return broker;
}

/** As the bridge makes and checks them. @throws {PlainError} when one is there and is another. */
async function makeTopics(broker: RunningBroker, topics: readonly DeclaredTopic[]): Promise<void> {
  try {
    const log = await openKafka(broker.bootstrap, 1, topics);
    await log.close();
  } catch (error) {
    await broker.stop();
    throw new PlainError(messageOf(error));
  }
}

async function startBroker({ directory, port }: Settings): Promise<RunningBroker> {
  const problem = kafkaProblem(process.env);
  if (problem === null) {
    const cluster = await startKafka({ directory, port, heapMegabytes: 512, optimised: true });
    const ends = cluster.nodes.map((node) => node.untilEnded());
    return { ...cluster, untilEnded: () => Promise.race(ends) };
  }
  if (!dockerRuns(process.env)) {
    throw new PlainError(`${problem} Docker, which would do as well, does not run here either.`);
  }
  console.log(`${problem} The broker runs in Docker instead.`);
  const broker = new DockerKafka({ port, home: directory, clusterId: clusterIdIn(directory) });
  await broker.start();
  return broker;
}

/** The id of the log in Docker's volume; made at the first start and kept. */
function clusterIdIn(directory: string): string {
  const file = join(directory, "docker-cluster-id");
  if (!existsSync(file)) writeFileSync(file, randomClusterId());
  return readFileSync(file, "utf8");
}

function report({ directory, port }: Settings, topics: readonly DeclaredTopic[]): void {
  const names = topics.map(({ name }) => name);
  console.log(`
Kafka is ready.

  broker    127.0.0.1:${port}
  state     ${resolve(directory)}
  topics    ${names.join(", ")}, each with ${topics[0]?.partitions} partitions

Run Gavel on it, in another terminal:

npm start -- --kafka 127.0.0.1:${port}

Ctrl-C ends it; what is in the log stays.
`);
}
