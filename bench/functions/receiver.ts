import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { endChild, firstAnswer } from "../harness/child.ts";

/** What a process noted since it was last asked; columns. */
export interface Arrivals {
  /** `{partition}/{offset}`. */
  readonly ids: string[];
  /** When its call began, in milliseconds since the epoch, with fractions. */
  readonly times: number[];
  /** What came out of order, or at the same time as its predecessor. */
  readonly violations: string[];
}

/** A process that is called, and tells what it was called with. */
export class Receiver {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<Receiver> {
    const script = join(import.meta.dirname, "receiver-process.ts");
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    return new Receiver(child, await firstAnswer(child, "receiver"));
  }

  /** @throws {Error} when something came that the order forbids */
  async take(): Promise<Arrivals> {
    const arrivals = await new Promise<Arrivals>((resolve) => {
      this.#child.once("message", (message) => resolve(message as Arrivals));
      this.#child.send("take");
    });
    const { violations } = arrivals;
    if (violations.length > 0)
      throw new Error(`${violations.length} out of order: ${violations.slice(0, 5).join("; ")}`);
    return arrivals;
  }

  async stop(): Promise<void> {
    await endChild(this.#child);
  }
}
