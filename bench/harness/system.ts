import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { BridgeStart, GatewayStart, LogChoice } from "../../local/child-protocol.ts";
import { installRuntimeLauncher } from "../../local/runtime-launcher.ts";
import { declaredTopics, readVariables, secretVariables } from "../../local/variables.ts";
import { prepareBundle, type WorkerName } from "./bundles.ts";
import { endChild, firstAnswer } from "./child.ts";
import type { BenchmarkOptions } from "./figures.ts";
import { summaryOfFile } from "./profile.ts";

const local = join(import.meta.dirname, "..", "..", "local");

export interface RunningProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface RunningWorker extends RunningProcess {
  /** Where the runtime takes a profiler; only when asked for. */
  readonly inspectorPort: number | undefined;
}

export interface SystemOptions {
  /** Instead of those in wrangler.toml; log lines of requests are off unless given. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Those that the topics are made for: all that have topics of their own unless given. */
  readonly workers?: readonly WorkerName[];
  /** A Kafka behind the bridge, where the system has topics of its own; an embedded log unless given. */
  readonly kafka?: Omit<Extract<LogChoice, { kind: "kafka" }>, "kind"> & { readonly topicPrefix: string };
}

type Profiles = Pick<BenchmarkOptions, "profiles">;

/** Processes that end with the benchmark, in the order opposite to their start. */
export class System {
  readonly directory = mkdtempSync(join(tmpdir(), "gavel-bench-"));
  readonly #variables: Readonly<Record<string, string>>;
  readonly #workers: readonly WorkerName[];
  readonly #kafka: SystemOptions["kafka"];
  readonly #processes: RunningProcess[] = [];
  readonly #ownProfiles: string[] = [];
  #bridge: RunningProcess | undefined;
  readonly credentials = { username: "gavel", password: "only-for-benchmarks" };

  constructor({ variables = {}, workers = ["gavel", "edge-only", "forwarder"], kafka }: SystemOptions = {}) {
    this.#variables = { LOG_LEVEL: "warn", ...variables };
    this.#workers = workers;
    this.#kafka = kafka;
  }

  /** What a client sends as its bearer token. */
  key(name: "client" | "backend" | "trusted" | "operator" = "backend"): string {
    return `gvl_${name}_only-for-benchmarks`;
  }

  get bridge(): RunningProcess {
    if (this.#bridge === undefined) throw new Error("the bridge is not started");
    return this.#bridge;
  }

  /**
   * What stands in front of a topic's name: what others append is not for Gavel's objects to read, so
   * peers on the same bridge have their own topics, and systems on the same Kafka as well.
   */
  topicPrefix(worker: WorkerName = "gavel"): string {
    const isPeer = worker === "edge-only" || worker === "forwarder";
    return `${this.#kafka?.topicPrefix ?? ""}${isPeer ? `${worker}.` : ""}`;
  }

  /** The bridge over an empty log, with the topics as the variables declare them. */
  async startBridge({ profiles }: Profiles = { profiles: undefined }): Promise<RunningProcess> {
    const bundle = join(this.directory, "settings");
    await prepareBundle("gavel", bundle);
    const variables = { ...readVariables(bundle, {}), ...this.#variables };
    const topics = this.#workers
      .map((worker) => this.topicPrefix(worker))
      .flatMap((TOPIC_PREFIX) => declaredTopics({ ...variables, TOPIC_PREFIX }));
    const start: BridgeStart = {
      port: 0,
      log: this.#log(),
      topics,
      ...this.credentials,
    };
    const profile = profiles === undefined ? [] : this.#profileArguments(profiles);
    this.#bridge = await this.#spawn("bridge", start, profile);
    return this.#bridge;
  }

  #log(): LogChoice {
    if (this.#kafka === undefined) return { kind: "sqlite", file: join(this.directory, "log.sqlite") };
    const { brokers, replicas } = this.#kafka;
    return { kind: "kafka", brokers, replicas };
  }

  /** A process of Node's writes its profile when it ends. */
  #profileArguments(directory: string): string[] {
    const name = `${this.#kafka?.topicPrefix ?? `${basename(this.directory)}.`}bridge.cpuprofile`;
    this.#ownProfiles.push(join(directory, name));
    return ["--cpu-prof", `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name}`];
  }

  /** A Worker in the runtime of `npm start`, with storage of its own, in front of the bridge. */
  async startWorker(
    worker: WorkerName,
    { profiles }: Profiles = { profiles: undefined },
  ): Promise<RunningWorker> {
    const home = join(this.directory, `${worker}-${this.#processes.length}`);
    const bundle = join(home, "bundle");
    mkdirSync(home);
    await prepareBundle(worker, bundle);
    const keys = {
      client: this.key("client"),
      backend: this.key(),
      trusted: this.key("trusted"),
      operator: this.key("operator"),
    };
    const secrets = secretVariables(
      { bridge: this.credentials, keys, subjects: { client: "ada" } },
      this.bridge.url,
    );
    const launcher = installRuntimeLauncher(home);
    const inspectorPort = profiles === undefined ? undefined : await freePort();
    const start: GatewayStart = {
      port: 0,
      bundle,
      objects: join(home, "objects"),
      runtime: inspectorPort === undefined ? launcher : withInspector(home, launcher, inspectorPort),
      variables: {
        ...readVariables(bundle, {}),
        ...this.#variables,
        ...secrets,
        TOPIC_PREFIX: this.topicPrefix(worker),
      },
    };
    return { ...(await this.#spawn("gateway", start)), inspectorPort };
  }

  /** A server that does nothing, to tell what the load client itself can do. */
  startSink(): Promise<RunningProcess> {
    return this.#spawn("sink", {});
  }

  async #spawn(
    name: "bridge" | "gateway" | "sink",
    start: object,
    nodeArguments: readonly string[] = [],
  ): Promise<RunningProcess> {
    // Log lines are written, as they are under `npm start`, but not to the terminal.
    const output = openSync(join(this.directory, `${name}.log`), "a");
    const script = join(name === "sink" ? import.meta.dirname : local, `${name}.ts`);
    const child = spawn(process.execPath, [...nodeArguments, script], {
      stdio: ["ignore", output, output, "ipc"],
    });
    child.send(start);
    const url = await firstAnswer(child, name);
    const started = { url, pid: child.pid ?? 0, stop: () => endChild(child) };
    this.#processes.unshift(started);
    return started;
  }

  async stop(): Promise<void> {
    for (const running of this.#processes) await running.stop();
    for (const file of this.#ownProfiles) console.log(`${file}\n${summaryOfFile(file)}`);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Runs a benchmark on a system of its own, and ends the system whatever comes of it. */
export async function withSystem<Result>(
  body: (system: System) => Promise<Result>,
  options: SystemOptions = {},
): Promise<Result> {
  const system = new System(options);
  try {
    return await body(system);
  } finally {
    await system.stop();
  }
}

/** The runtime with its inspector open, for a CPU profile. */
function withInspector(home: string, launcher: string, port: number): string {
  const path = join(home, "workerd-inspected");
  const script = `#!/bin/sh\ncommand=$1\nshift\nexec '${launcher}' "$command" --inspector-addr=127.0.0.1:${port} "$@"\n`;
  writeFileSync(path, script, { mode: 0o700 });
  return path;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      server.close(() => resolve(port));
    });
  });
}
