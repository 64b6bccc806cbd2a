import { env, exports } from "cloudflare:workers";
import { configFromEnv } from "../../../src/config.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { createUpstashLog } from "../../../src/kafka/upstash.ts";
import { requireDocumented } from "../contract.ts";

/** The Worker under test, the keys that its clients hold, and the log behind it. */
const bindings = env as unknown as Record<string, string>;

export const clientSubject = bindings.TEST_CLIENT_SUBJECT ?? "";
export const keys = JSON.parse(bindings.TEST_KEYS ?? "{}") as Record<KeyName, string>;
export type KeyName = "client" | "backend" | "trusted" | "operator";

export interface Call {
  readonly key?: KeyName | null;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** What Cloudflare would say of the connection. */
  readonly cf?: Record<string, unknown>;
}

const worker = (exports as unknown as { default: { fetch: typeof fetch } }).default;

/**
 * One request to the Worker. A body that is no text or bytes is sent as JSON. An answer that is not
 * as the interface's document says fails the test.
 */
export async function call(
  path: string,
  { key = "backend", method, body, headers, cf }: Call = {},
): Promise<Response> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
  const init = {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${keys[key]}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    ...(cf === undefined ? {} : { cf }),
  };
  const request = new Request(`https://gavel.test${path}`, init);
  const answer = await worker.fetch(request);
  // As it was sent: a URL has no `..` any more.
  const { pathname, search } = new URL(request.url);
  await requireDocumented(init.method, pathname + search, answer);
  return answer;
}

export interface Coordinates {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
}

/** The JSON of an answer that must have this status. */
export async function answered<Body>(response: Response | Promise<Response>, status: number): Promise<Body> {
  const actual = await response;
  const text = await actual.text();
  if (actual.status !== status) throw new Error(`Expected ${status}, not ${actual.status}: ${text}`);
  return JSON.parse(text) as Body;
}

/** Reads a record from the log itself, not from what the Worker says. */
export async function readRecord({
  topic,
  partition,
  offset,
}: Omit<Coordinates, "id" | "source" | "timestamp">): Promise<LogRecord> {
  const log = createUpstashLog(configFromEnv(env).kafka);
  const { records } = await log.fetch({ topic, partition, offset }, Date.now() + 5_000);
  const [record] = records;
  if (record?.offset !== offset) throw new Error(`The log has no record at ${topic}:${partition}:${offset}`);
  return record;
}

export function headersOf(record: LogRecord): Record<string, string> {
  return Object.fromEntries(record.headers.map(({ key, value }) => [key, value]));
}

let made = 0;

/** An item that no other test has. */
export function newItem(more: Record<string, unknown> = {}) {
  made += 1;
  return {
    itemId: `item-${Date.now()}-${made}-${Math.floor(Math.random() * 1e6)}`,
    sellerId: "seller",
    title: "A lamp",
    category: "lamps",
    currency: "EUR",
    startingPrice: 1000,
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    ...more,
  };
}

export function newBid(itemId: string, more: Record<string, unknown> = {}) {
  return { itemId, bidderId: "ben", amount: 1000, currency: "EUR", ...more };
}

/** Lists an item and waits until it is open. */
export async function openItem(more: Record<string, unknown> = {}): Promise<ReturnType<typeof newItem>> {
  const item = newItem(more);
  await answered(call("/v1/items", { body: item, headers: { prefer: "wait=10" } }), 200);
  return item;
}
