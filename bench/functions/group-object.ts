import { setTimeout as sleep } from "node:timers/promises";
import type { FunctionGroupStatus } from "../../durable-objects/functions/rpc.ts";
import { Connection } from "../harness/connection.ts";
import type { Counters } from "../harness/counters.ts";
import { expectStatus } from "../harness/load.ts";

const pollMs = 10;

/** What an object of the `functions` Worker has cost, with the calls of its function. */
export interface FunctionCounters extends Counters {
  readonly invocations: number;
}

/** Which journal records led to a call of the function, and when it began; columns. */
export interface Started {
  /** `{partition}/{offset}` in the journal. */
  readonly ids: readonly string[];
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
}

/** An object of a measured group in the `functions` Worker. */
export class GroupObject {
  readonly #connection: Connection;
  readonly #name: string;

  private constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  /** @param name `{group}/{partition}` or `{group}-{number}/{partition}` */
  static async open(url: string, name: string): Promise<GroupObject> {
    return new GroupObject(await Connection.open(url), name);
  }

  async #call(call: string): Promise<unknown> {
    const head = `POST /bench/${call}?object=${this.#name} HTTP/1.1\r\nhost: bench\r\n`;
    const answer = await this.#connection.send(`${head}content-length: 0\r\n\r\n`);
    expectStatus(answer, 200);
    return JSON.parse(answer.body.toString());
  }

  async counters(): Promise<FunctionCounters> {
    return (await this.#call("counters")) as FunctionCounters;
  }

  async started(): Promise<Started> {
    return (await this.#call("started")) as Started;
  }

  /** Reads its topic to the end, or for as long as one call of an object may go on. */
  async wake(): Promise<void> {
    await this.#call("wakeFunctions");
  }

  /** Starts no more calls. Resolves when those under way have ended. */
  async pause(): Promise<void> {
    await this.#call("pause");
    for (;;) {
      const { functions } = await this.#status();
      if (functions.every(({ inFlight }) => inFlight === 0)) return;
      await sleep(pollMs);
    }
  }

  async #status(): Promise<FunctionGroupStatus> {
    const status = (await this.#call("functionGroupStatus")) as FunctionGroupStatus;
    const { deadLettered, functions, stalled } = status;
    const open = functions.find(({ circuit }) => circuit !== undefined)?.circuit;
    if (stalled !== undefined || deadLettered > 0 || open !== undefined)
      throw new Error(`${this.#name} fails: ${stalled ?? open?.reason ?? `${deadLettered} dead letters`}`);
    return status;
  }

  /** Until its function has finished everything before `end`. */
  async untilFinished(end: number): Promise<void> {
    for (;;) {
      const { functions, position } = await this.#status();
      if (position >= end && functions.length > 0 && functions.every((one) => one.position >= end)) return;
      await sleep(pollMs);
    }
  }

  close(): void {
    this.#connection.close();
  }
}
