import { setTimeout as sleep } from "node:timers/promises";
import { type ClientEvent, type History, source, type Told } from "./history.ts";

export interface ClientOptions {
  readonly name: string;
  readonly history: History;
  /** Asked before each request, since a restart may have moved the gateway. */
  readonly target: () => { readonly url: string; readonly key: string };
  readonly nextEvent: (id: string) => ClientEvent;
  /** Events of one request; 1 sends a single event rather than an array of one. */
  readonly batch: number;
  /** Between two requests: load enough to be hit, little enough to read back whole. */
  readonly pauseMs: number;
}

interface Sent {
  readonly events: readonly ClientEvent[];
  readonly sentAt: number;
}

/**
 * One client: sends events in order, one request at a time, until it is told to stop, and then what
 * is undecided until nothing is. What was not decided goes first in the next request, under the same
 * ids: that is how a client of the interface keeps the order of what it sends.
 */
export class Client {
  readonly #options: ClientOptions;
  #count = 0;
  #stopped = false;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    const { name, batch, nextEvent, pauseMs } = this.#options;
    let left: ClientEvent[] = [];
    while (!this.#stopped || left.length > 0) {
      while (!this.#stopped && left.length < batch) left.push(nextEvent(`${name}-${this.#count++}`));
      left = await this.#send(left);
      await sleep(pauseMs);
    }
  }

  /** Sends one request. @returns what is undecided. */
  async #send(events: readonly ClientEvent[]): Promise<ClientEvent[]> {
    const { history } = this.#options;
    const sent = { events, sentAt: Date.now() };
    const told = await this.#post(events).catch(() => null);
    if (told === null) history.failures.noAnswer += 1;
    else if (told.every(({ kind }) => kind === "failed")) history.failures.unavailable += 1;
    return this.#note(sent, told ?? events.map(() => ({ kind: "silence" })));
  }

  #note({ events, sentAt }: Sent, told: readonly Told[]): ClientEvent[] {
    const { name: client, history } = this.#options;
    const endedAt = Date.now();
    const left: ClientEvent[] = [];
    for (const [index, event] of events.entries()) {
      const answer = told[index] ?? { kind: "silence" };
      history.add({ client, event, sentAt, endedAt, told: answer });
      if (answer.kind === "failed" || answer.kind === "silence") left.push(event);
    }
    return left;
  }

  /** What was told of each event. @throws {TypeError} when there was no whole answer. */
  async #post(events: readonly ClientEvent[]): Promise<Told[]> {
    const { target, batch } = this.#options;
    const { url, key } = target();
    const isSingle = batch === 1;
    const response = await fetch(`${url}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": `application/cloudevents${isSingle ? "" : "-batch"}+json`,
      },
      body: JSON.stringify(isSingle ? cloudEvent(events[0]) : events.map(cloudEvent)),
      signal: AbortSignal.timeout(10_000),
    });
    const body = JSON.parse(await response.text()) as Result & { readonly results?: readonly Result[] };
    const saysWhenToRetry = Number(response.headers.get("retry-after")) > 0;
    return events.map((_, index) => {
      // Several that the log took in part: each has a status of its own.
      const result = body.results?.[index];
      if (result !== undefined && response.status < 500) return toldBy(result.status, result, true);
      return toldBy(response.status, body, saysWhenToRetry);
    });
  }
}

interface Result {
  readonly status: number;
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

function toldBy(status: number, { id, topic, partition, offset }: Result, saysWhenToRetry: boolean): Told {
  if (status === 202) return { kind: "acknowledged", id, topic, partition, offset };
  if (status >= 500) return { kind: "failed", status, saysWhenToRetry };
  return { kind: "refused", status };
}

function cloudEvent(event: ClientEvent | undefined): object {
  return { specversion: "1.0", source, datacontenttype: "application/json", ...event };
}
