import { randomBytes } from "node:crypto";
import { Kafka } from "@upstash/kafka";
import type { Limits } from "../../../bridge/limits.ts";
import type { EventLog } from "../../../bridge/log.ts";
import { type Bridge, startBridge } from "../../../bridge/server.ts";

/** An empty log. The bridge closes it; `remove` clears up behind it. */
export interface MadeLog {
  readonly log: EventLog;
  readonly remove: () => Promise<void>;
  /** The same records, for another copy of the bridge; absent where one process alone has them. */
  readonly another?: () => Promise<EventLog>;
}

/** Makes an empty log with these topics. */
export type MakeLog = (topics: Readonly<Record<string, number>>) => Promise<MadeLog>;

/** In what a log may differ from others. */
export interface LogTraits {
  /** Texts are stored as UTF-8, which has no form for half of a surrogate pair. */
  readonly isUtf8: boolean;
}

export interface Metadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
}

export interface StoredMessage extends Metadata {
  readonly key: string;
  readonly value: string;
  readonly headers: { readonly key: string; readonly value: string }[];
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Sent {
  readonly method?: string;
  readonly authorization?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const username = "tester";

/** A bridge over a log of its own, and both ways to speak with it. */
export class Harness {
  readonly bridge: Bridge;
  /** The real client. It sends what fails six times over 15 s: only for what succeeds. */
  readonly client: Kafka;
  readonly authorization: string;
  readonly #remove: () => Promise<void>;

  private constructor(bridge: Bridge, password: string, remove: () => Promise<void>) {
    this.bridge = bridge;
    this.client = new Kafka({ url: bridge.url, username, password });
    this.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    this.#remove = remove;
  }

  static async start(
    makeLog: MakeLog,
    topics: Readonly<Record<string, number>>,
    limits: Partial<Limits> = {},
  ): Promise<Harness> {
    const { log, remove } = await makeLog(topics);
    const password = randomBytes(12).toString("hex");
    return new Harness(await startBridge({ log, port: 0, username, password, limits }), password, remove);
  }

  /** Two copies of the bridge over the same records. */
  static async startCopies(
    makeLog: MakeLog,
    topics: Readonly<Record<string, number>>,
    limits: Partial<Limits> = {},
  ): Promise<readonly [Harness, Harness]> {
    const { log, remove, another } = await makeLog(topics);
    const second = another === undefined ? log : await another();
    const password = randomBytes(12).toString("hex");
    const start = (one: EventLog) => startBridge({ log: one, port: 0, username, password, limits });
    return [
      new Harness(await start(log), password, async () => {}),
      new Harness(await start(second), password, remove),
    ];
  }

  /** Sends a body as it is; anything but text and bytes as JSON. */
  async send<T = unknown>(path: string, body?: unknown, sent: Sent = {}): Promise<Answer<T>> {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const authorization = sent.authorization === undefined ? this.authorization : sent.authorization;
    const response = await fetch(this.bridge.url + path, {
      method: sent.method ?? (body === undefined ? "GET" : "POST"),
      headers: { ...(authorization === null ? {} : { authorization }), ...sent.headers },
      ...(body === undefined ? {} : { body: raw ? Buffer.from(body) : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  }

  /** Produces and answers the metadata of each. @throws {Error} for any status but 200. */
  async produce(messages: readonly unknown[]): Promise<readonly Metadata[]> {
    return this.#expectOk(await this.send<Metadata[]>("/produce", messages));
  }

  /** Reads without waiting. */
  async fetch(topic: string, partition: number, offset: number): Promise<readonly StoredMessage[]> {
    const request = { topic, partition, offset, timeout: 0 };
    return this.#expectOk(await this.send<StoredMessage[]>("/fetch", request));
  }

  /** Reads a partition to its end, however many answers that takes. */
  async fetchAll(topic: string, partition: number): Promise<StoredMessage[]> {
    const all: StoredMessage[] = [];
    for (;;) {
      const run = await this.fetch(topic, partition, all.length);
      if (run.length === 0) return all;
      all.push(...run);
    }
  }

  async stop(): Promise<void> {
    await this.bridge.stop();
    await this.#remove();
  }

  #expectOk<T>({ status, body }: Answer<T>): T {
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return body;
  }
}
