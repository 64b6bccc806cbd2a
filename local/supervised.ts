import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChildMessage } from "./child-protocol.ts";
import { endLeftovers } from "./leftovers.ts";
import { PlainError } from "./problem.ts";

const firstBackoffMs = 50;
const longestBackoffMs = 2_000;
/** A child that lived this long after it was started is no broken one: its next start is soon. */
const healthyMs = 1_000;
/** How long a child may take to end by itself. */
const stopMs = 5_000;

export interface ChildSpecification<Start extends { readonly port: number }> {
  readonly name: string;
  readonly script: string;
  readonly runDirectory: string;
  /** Roles, in `leftovers.ts`'s sense, that may outlive a killed child and must not. */
  readonly leavesBehind: readonly string[];
  readonly start: Start;
  /** Variable that chooses the child's port, to name in a sentence. */
  readonly portVariable: string;
}

/**
 * A child process that is started again, on the same port, whenever it ends unasked. Its backoff
 * grows while it keeps dying young, so that a broken child neither spins nor is given up.
 */
export class SupervisedChild<Start extends { readonly port: number }> {
  readonly #specification: ChildSpecification<Start>;
  #child: ChildProcess | undefined;
  #port: number;
  #stopping = false;
  #backoffMs = firstBackoffMs;

  constructor(specification: ChildSpecification<Start>) {
    this.#specification = specification;
    this.#port = specification.start.port;
  }

  /**
   * Starts the child for the first time.
   * @returns its address.
   * @throws {PlainError} when it cannot start, or its port is taken.
   */
  async start(): Promise<string> {
    const url = await this.#launch();
    // Kept: a child that comes back must be where its clients know it.
    this.#port = Number(new URL(url).port);
    return url;
  }

  /** Ends the child: in order when it can, by force when it takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), stopMs);
    await ended;
    clearTimeout(force);
  }

  async #launch(): Promise<string> {
    const { name, script, runDirectory, start } = this.#specification;
    const startedAt = Date.now();
    const child = spawn(process.execPath, [script], {
      // The name by which a later start knows what this one left; see `leftovers.ts`.
      argv0: join(runDirectory, name),
      // A group of its own: a terminal's Ctrl-C reaches the supervisor alone, which ends things in order.
      detached: true,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child = child;
    child.send({ ...start, port: this.#port });
    const url = await firstAnswer(child, this.#specification, this.#port);
    child.once("exit", () => void this.#revive(startedAt));
    // It may have ended between its answer and this line.
    if (child.exitCode !== null || child.signalCode !== null) void this.#revive(startedAt);
    return url;
  }

  async #revive(startedAt: number): Promise<void> {
    if (this.#stopping) return;
    const { name, runDirectory, leavesBehind } = this.#specification;
    if (Date.now() - startedAt > healthyMs) this.#backoffMs = firstBackoffMs;
    console.error(`The ${name} ended unasked; it starts again in ${this.#backoffMs} ms.`);
    await sleep(this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, longestBackoffMs);
    if (this.#stopping) return;
    try {
      await endLeftovers(runDirectory, leavesBehind);
      if (!this.#stopping) await this.#launch();
    } catch (error) {
      console.error(error instanceof PlainError ? error.message : error);
      void this.#revive(Date.now());
    }
  }
}

function firstAnswer(
  child: ChildProcess,
  { name, portVariable }: ChildSpecification<{ readonly port: number }>,
  port: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => {
      const answer = message as ChildMessage;
      if (answer.kind === "ready") return resolve(answer.url);
      const sentence = answer.portInUse
        ? `port ${port} is in use, so the ${name} cannot listen there. Free it, or choose another with ${portVariable}.`
        : `the ${name} does not start: ${answer.message}`;
      reject(new PlainError(sentence));
    });
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new PlainError(`the ${name} ended before it was ready (${signal ?? code}).`)),
    );
  });
}
