import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../local/kafka/ports.ts";
import { endChild, firstAnswer } from "../harness/child.ts";
import { Receiver } from "./receiver.ts";

const version = "1.7.12";
const sources = join(import.meta.dirname, "restate");
/** Between two looks whether it answers, and how many. */
const lookMs = 100;
const looks = 300;

/** A Restate server of the run's own in front of given brokers, and the service that it calls. */
export class Restate {
  readonly name = `Restate ${version}`;
  readonly service: Receiver;
  readonly #directory: string;
  readonly #server: ChildProcess;
  readonly #serviceProcess: ChildProcess;
  readonly #admin: string;
  #subscription: string | undefined;

  private constructor(
    directory: string,
    server: ChildProcess,
    admin: string,
    [serviceProcess, service]: readonly [ChildProcess, Receiver],
  ) {
    this.#directory = directory;
    this.#server = server;
    this.#admin = admin;
    this.#serviceProcess = serviceProcess;
    this.service = service;
  }

  /** @throws {Error} when its packages cannot be had or the server does not start */
  static async start(brokers: readonly string[]): Promise<Restate> {
    const packages = install();
    const directory = mkdtempSync(join(tmpdir(), "gavel-bench-restate-"));
    const [ingress = 0, admin = 0, node = 0] = await freePorts(3);
    const file = join(directory, "restate.toml");
    writeFileSync(file, settings(directory, brokers, { ingress, admin, node }));
    const output = openSync(join(directory, "restate.log"), "a");
    const server = spawn(programIn(packages), ["--no-logo", "--config-file", file], {
      stdio: ["ignore", output, output],
      env: { ...process.env, DO_NOT_TRACK: "1", RUST_BACKTRACE: "0" },
    });
    const service = await startService(packages);
    const restate = new Restate(directory, server, `http://127.0.0.1:${admin}`, service);
    try {
      await restate.#untilReady();
      await restate.#post("deployments", { uri: restate.service.url, force: true });
      return restate;
    } catch (error) {
      await restate.stop();
      throw error;
    }
  }

  /** Process id of the server. */
  get pid(): number {
    return this.#server.pid ?? 0;
  }

  async #untilReady(): Promise<void> {
    for (let look = 0; look < looks; look += 1) {
      if (this.#server.exitCode !== null) throw new Error(`Restate ended with ${this.#server.exitCode}`);
      const answer = await fetch(`${this.#admin}/health`).catch(() => undefined);
      if (answer?.ok === true) return;
      await sleep(lookMs);
    }
    throw new Error("Restate's administration does not answer");
  }

  async #post(path: string, body: object): Promise<unknown> {
    for (let look = 1; ; look += 1) {
      const answer = await fetch(`${this.#admin}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (answer.ok) return answer.json();
      const told = await answer.text();
      // It answers before all its parts are there.
      if (look === looks) throw new Error(`Restate answers ${answer.status} to ${path}: ${told}`);
      await sleep(lookMs);
    }
  }

  /** Hands a topic's records to the service, from the first one on; the last subscription ends. */
  async subscribe(topic: string): Promise<void> {
    if (this.#subscription !== undefined)
      await fetch(`${this.#admin}/subscriptions/${this.#subscription}`, { method: "DELETE" });
    this.#serviceProcess.send("again");
    const { id } = (await this.#post("subscriptions", {
      source: `kafka://bench/${topic}`,
      sink: "service://Auction/bid",
      options: { "auto.offset.reset": "earliest" },
    })) as { id: string };
    this.#subscription = id;
  }

  async stop(): Promise<void> {
    await endChild(this.#server);
    await this.service.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Its packages, which only this benchmark needs, are kept beside Kafka's from run to run. */
function install(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const directory = join(cache, "gavel", `restate-${version}`);
  if (!existsSync(join(directory, "node_modules"))) {
    mkdirSync(directory, { recursive: true });
    cpSync(join(sources, "package.json"), join(directory, "package.json"));
    const quietly = ["--no-fund", "--no-audit", "--no-package-lock", "--loglevel=error"];
    execFileSync("npm", ["install", "--prefix", directory, ...quietly], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
  cpSync(join(sources, "service.ts"), join(directory, "service.ts"));
  return directory;
}

/** The server itself and not its launcher, so that ending the process ends it. */
function programIn(packages: string): string {
  const scope = join(packages, "node_modules", "@restatedev");
  const program = readdirSync(scope)
    .map((name) => join(scope, name, "bin", "restate-server"))
    .find((path) => existsSync(path));
  if (program === undefined) throw new Error("Restate has no server for this platform");
  return program;
}

async function startService(packages: string): Promise<[ChildProcess, Receiver]> {
  const child = spawn(process.execPath, [join(packages, "service.ts")], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    // The SDK writes two lines a call otherwise.
    env: { ...process.env, NODE_ENV: "production", RESTATE_LOGGING: "ERROR" },
  });
  return [child, new Receiver(child, await firstAnswer(child, "service of Restate"))];
}

interface Ports {
  readonly ingress: number;
  readonly admin: number;
  readonly node: number;
}

/** Its defaults but for addresses, telemetry and a bound of memory. */
function settings(directory: string, brokers: readonly string[], { admin, ingress, node }: Ports): string {
  const urls = brokers.map((broker) => `"PLAINTEXT://${broker}"`).join(", ");
  return `cluster-name = "gavel-bench"
node-name = "node1"
base-dir = "${join(directory, "data")}"
bind-ip = "127.0.0.1"
bind-port = ${node}
advertised-host = "127.0.0.1"
listen-mode = "tcp"
disable-telemetry = true
log-filter = "warn,restate=info"
log-disable-ansi-codes = true
rocksdb-total-memory-size = "1 GiB"

[ingress]
bind-ip = "127.0.0.1"
bind-port = ${ingress}

[admin]
bind-ip = "127.0.0.1"
bind-port = ${admin}
disable-web-ui = true

[[ingress.kafka-clusters]]
name = "bench"
brokers = [${urls}]
`;
}
