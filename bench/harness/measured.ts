import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import type { Connection } from "./connection.ts";
import type { Counters } from "./counters.ts";
import { expectStatus } from "./load.ts";

/** An object of the `measured` Worker, called over one connection. */
export class MeasuredObject {
  readonly #connection: Connection;
  readonly #name: string;

  constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  async #call(call: string, body?: object): Promise<unknown> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const head = `POST /bench/${call}?object=${this.#name} HTTP/1.1\r\nhost: bench\r\n`;
    const answer = await this.#connection.send(`${head}content-length: ${text.length}\r\n\r\n${text}`);
    expectStatus(answer, 200);
    return JSON.parse(answer.body.toString());
  }

  async counters(): Promise<Counters> {
    return (await this.#call("counters")) as Counters;
  }

  async status(): Promise<PartitionStatus> {
    return (await this.#call("status")) as PartitionStatus;
  }

  async digest(): Promise<{ readonly position: number; readonly digest: string }> {
    return (await this.#call("digest")) as { position: number; digest: string };
  }

  /** Reads its log to the end and sends its outputs; answers how many seconds that took. */
  async wake(): Promise<number> {
    const startedAt = performance.now();
    const status = (await this.#call("wake")) as PartitionStatus;
    const seconds = (performance.now() - startedAt) / 1000;
    if (status.stalled !== undefined) throw new Error(`${this.#name} stalled: ${status.stalled}`);
    if (status.outbox > 0) throw new Error(`${this.#name} has ${status.outbox} outputs to send`);
    return seconds;
  }

  async wipe(): Promise<void> {
    await this.#call("wipe");
  }

  async extend(more: { readonly items?: number; readonly bids?: number }): Promise<void> {
    await this.#call("extend", more);
  }
}
