import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createHash } from "node:crypto";
import { untilAnswering } from "./answering.ts";
import { kafkaVersion } from "./libraries.ts";

/** A first start fetches the image. */
const startMs = 600_000;

export interface DockerOptions {
  /** Of this machine, on 127.0.0.1. */
  readonly port: number;
  /** Tells this broker's log from others: the log is in a volume of its own. */
  readonly home: string;
  readonly clusterId: string;
}

/** Whether Docker's engine answers. */
export function dockerRuns(environment: NodeJS.ProcessEnv): boolean {
  const { status } = spawnSync("docker", ["info"], { stdio: "ignore", env: environment });
  return status === 0;
}

/** Arguments of `docker` for one broker of Apache's own image. */
function dockerArguments({ port, home, clusterId }: DockerOptions): string[] {
  const controller = port + 1;
  const settings = {
    CLUSTER_ID: clusterId,
    KAFKA_NODE_ID: "1",
    KAFKA_PROCESS_ROLES: "broker,controller",
    KAFKA_CONTROLLER_QUORUM_VOTERS: `1@localhost:${controller}`,
    KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:${controller}`,
    // The same port inside, so that the address that clients are told also holds for the broker.
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_INTER_BROKER_LISTENER_NAME: "PLAINTEXT",
    KAFKA_LOG_DIRS: "/var/lib/kafka/data",
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: "1",
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
  };
  const variables = Object.entries(settings).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const volume = `${containerName(home)}:/var/lib/kafka/data`;
  const published = `127.0.0.1:${port}:${port}`;
  const container = ["--rm", "--name", containerName(home), "--publish", published, "--volume", volume];
  return ["run", ...container, ...variables, `apache/kafka:${kafkaVersion}`];
}

/** Of the container and of its volume. */
function containerName(home: string): string {
  return `gavel-kafka-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;
}

/** A broker in a container, for where Java is not. */
export class DockerKafka {
  readonly bootstrap: readonly string[];
  readonly #options: DockerOptions;
  #client: ChildProcess | undefined;

  constructor(options: DockerOptions) {
    this.#options = options;
    this.bootstrap = [`127.0.0.1:${options.port}`];
  }

  /** @throws {Error} when the container ends or does not answer. */
  async start(): Promise<void> {
    // A start that was killed leaves its container running.
    spawnSync("docker", ["rm", "--force", containerName(this.#options.home)], { stdio: "ignore" });
    const client = spawn("docker", dockerArguments(this.#options), {
      stdio: ["ignore", "ignore", "inherit"],
      detached: true,
    });
    this.#client = client;
    const ended = new AbortController();
    client.once("exit", () => ended.abort());
    const patience = AbortSignal.any([ended.signal, AbortSignal.timeout(startMs)]);
    await untilAnswering({ id: 1, port: this.#options.port }, 1, patience);
  }

  /** Resolves when the container has ended, for whatever reason. */
  async untilEnded(): Promise<void> {
    if (this.#client !== undefined && this.#client.exitCode === null) await once(this.#client, "exit");
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    const ended = this.untilEnded();
    execFileSync("docker", ["stop", containerName(this.#options.home)], { stdio: "ignore" });
    await ended;
  }
}
