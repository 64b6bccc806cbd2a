import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { untilAnswering } from "./answering.ts";
import { javaArguments, type JvmOptions, spawnWatchedJava } from "./jvm.ts";
import { type NodeProperties, scramArguments, serverProperties } from "./server-properties.ts";

/** A busy machine may take long to start one; a healthy one takes 1 to 3 s. */
const startMs = 120_000;
/** How long a broker may take to end in order: it hands its leaderships over first. */
const stopMs = 15_000;

export interface NodeOptions {
  /** Holds the node's settings, its log and what it prints. */
  readonly directory: string;
  readonly clusterId: string;
  readonly properties: Omit<NodeProperties, "data">;
  readonly jvm: JvmOptions;
  /** Directory to remove if this process dies without having ended the node. */
  readonly removedWithParent?: string | undefined;
}

/** One broker, controller as well, as a child process that never outlives this one. */
export class KafkaNode {
  readonly id: number;
  /** Of the plain listener. */
  readonly port: number;
  /** File with what the broker prints: warnings and errors. */
  readonly output: string;
  readonly #options: NodeOptions;
  readonly #settings: string;
  #child: ChildProcess | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.id = options.properties.id;
    this.port = options.properties.ports.PLAINTEXT ?? 0;
    this.output = join(options.directory, "kafka.log");
    this.#settings = join(options.directory, "server.properties");
  }

  /** Of the running process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Writes the settings, and makes an empty log where there is none: once, before the first start. */
  async prepare(): Promise<void> {
    const { directory, properties, clusterId, jvm } = this.#options;
    const data = join(directory, "data");
    mkdirSync(directory, { recursive: true });
    writeFileSync(this.#settings, serverProperties({ ...properties, data }), { mode: 0o600 });
    if (existsSync(join(data, "meta.properties"))) return;
    const format = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", this.#settings];
    await promisify(execFile)(
      jvm.java.program,
      javaArguments(jvm, ...format, ...scramArguments(properties.users)),
    );
  }

  /**
   * Starts it on its port and data; does nothing when it runs.
   * @param brokers how many the cluster has to have, this one among them, before it counts as
   *   started. While a majority of the controllers is down none gets so far: start them together.
   * @throws {Error} with what it printed when it ends or does not answer.
   */
  async start(brokers = 1): Promise<void> {
    if (this.#child !== undefined) return;
    const { jvm, removedWithParent } = this.#options;
    const args = javaArguments(jvm, "kafka.Kafka", this.#settings);
    const child = spawnWatchedJava(jvm.java, args, { output: this.output, removedWithParent });
    this.#child = child;
    const ended = new AbortController();
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
      ended.abort();
    });
    try {
      const patience = AbortSignal.any([ended.signal, AbortSignal.timeout(startMs)]);
      await untilAnswering(this, brokers, patience);
    } catch (error) {
      await this.kill();
      throw new Error(`Kafka's node ${this.id} does not start:\n${this.#lastWords()}`, { cause: error });
    }
  }

  /**
   * Sends a signal. @returns once the process has ended, or at once for a signal that ends none
   * (`SIGSTOP`, `SIGCONT`).
   */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const ended = this.untilEnded();
    this.#child?.kill(signal);
    if (signal !== "SIGSTOP" && signal !== "SIGCONT") await ended;
  }

  /** Resolves when the process that runs now has ended, for whatever reason. */
  async untilEnded(): Promise<void> {
    if (this.#child !== undefined) await once(this.#child, "exit");
  }

  /** Ends it in order, by force when that takes too long. */
  async stop(): Promise<void> {
    const force = setTimeout(() => void this.kill(), stopMs);
    await this.kill("SIGTERM");
    clearTimeout(force);
  }

  #lastWords(): string {
    return existsSync(this.output) ? readFileSync(this.output, "utf8").slice(-4_000) : "";
  }
}
