import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalFile } from "../../../local/home.ts";

/**
 * Addresses of clients: of networks that have them, so that they are looked up, and some kept for
 * documentation. In a request's path alone: an answer may repeat to its sender what it was sent.
 */
export const addresses = {
  connecting: ["203.0.113.77", "2001:db8:77::a1:b2c3"],
  forwarded: ["193.0.6.139", "2001:67c:2e8:22::c100:68b", "198.51.100.23"],
  inPath: ["203.0.113.215", "2001:db8:99::dead:1"],
} as const;

const [connecting4, connecting6] = addresses.connecting;
const [forwarded4, forwarded6, forwardedReserved] = addresses.forwarded;

/** Every header in which platforms and proxies tell an address, in the forms in which they do. */
const headerSets: readonly Readonly<Record<string, string>>[] = [
  {
    "cf-connecting-ip": connecting4,
    "true-client-ip": connecting4,
    "x-real-ip": connecting4,
    "x-client-ip": connecting4,
    "x-forwarded-for": `${forwarded4}, ${forwardedReserved}`,
    forwarded: `for=${forwarded4};by=${connecting4};proto=https`,
  },
  {
    "cf-connecting-ip": connecting6,
    "cf-connecting-ipv6": connecting6,
    "true-client-ip": connecting6,
    "x-real-ip": connecting6,
    "x-forwarded-for": `unknown, 10.0.0.1, [${forwarded6}]:4711`,
    forwarded: `for="[${forwarded6}]:4711"`,
  },
  {
    "cf-connecting-ip": connecting4,
    "cf-pseudo-ipv4": "240.0.113.77",
    "x-forwarded-for": `::ffff:${forwarded4}`,
    "fastly-client-ip": connecting4,
    via: `1.1 ${connecting4}`,
  },
  {
    "cf-connecting-ip": connecting6,
    "x-forwarded-for": `"${forwarded4}:5678", ${forwardedReserved}`,
    forwarded: `for="_${forwardedReserved}", for="${forwarded4}:80"`,
    "user-agent": `client/1 (${connecting6})`,
    referer: `https://${connecting4}/`,
  },
];

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Sends requests that bear addresses in all of those headers in turn, and keeps what was answered. */
export class Traffic {
  readonly answers: Answered[] = [];
  readonly #local: LocalFile;
  #sent = 0;

  constructor(local: LocalFile) {
    this.#local = local;
  }

  get statuses(): ReadonlySet<number> {
    return new Set(this.answers.map(({ status }) => status));
  }

  async send(
    method: string,
    path: string,
    key: keyof LocalFile["keys"] | "unknown" | null,
    body?: string | Uint8Array<ArrayBuffer> | object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const token = key === "unknown" ? "gvl_nobody_0" : key === null ? null : this.#local.keys[key];
    const response = await fetch(`${this.#local.url}${path}`, {
      method,
      headers: {
        ...this.#addressed(),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const answer = { status: response.status, text: `${await response.text()}${headersIn(response)}` };
    this.answers.push(answer);
    return answer;
  }

  /** Follows items live while something is done, and keeps what came. */
  async follow(items: string, key: keyof LocalFile["keys"], body: () => Promise<void>): Promise<void> {
    const ended = new AbortController();
    const response = await fetch(`${this.#local.url}/v1/live?items=${items}`, {
      headers: {
        ...this.#addressed(),
        authorization: `Bearer ${this.#local.keys[key]}`,
        accept: "text/event-stream",
      },
      signal: ended.signal,
    });
    const came: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of response.body ?? []) came.push(chunk as Uint8Array);
    })();
    await body();
    ended.abort();
    await reading.catch(() => undefined);
    const text = `${Buffer.concat(came).toString()}${headersIn(response)}`;
    this.answers.push({ status: response.status, text });
  }

  #addressed(): Readonly<Record<string, string>> {
    this.#sent += 1;
    return headerSets[this.#sent % headerSets.length] ?? {};
  }
}

function headersIn(response: Response): string {
  return JSON.stringify([...response.headers]);
}

interface Route {
  readonly path: string;
  readonly methods: readonly string[];
}

/** Every path of the gateway, as its table has them. Its handlers belong to another runtime. */
export function routesOfTable(): readonly Route[] {
  const table = readFileSync(join(import.meta.dirname, "../../../src/routes/table.ts"), "utf8");
  return [...table.matchAll(/^ {2}"(\/[^"]*)": \{([\s\S]*?)\},?$/gm)].map(([, path = "", methods = ""]) => ({
    path,
    methods: [...methods.matchAll(/\b(GET|POST|PUT|DELETE):/g)].map(([, method = ""]) => method),
  }));
}

/** Every route in every way in which it can be refused, and as it would be used. */
export async function callEveryRoute(
  traffic: Traffic,
  routes: readonly Route[],
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { path, methods } of routes) {
    const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => parameters[name] ?? "none");
    for (const method of methods) {
      const body = method === "GET" || method === "DELETE" ? undefined : {};
      await Promise.all([
        traffic.send(method, filled, null, body),
        traffic.send(method, filled, "unknown", body),
        traffic.send(method, filled, "client", body),
        traffic.send(method, filled, "trusted", body, { accept: "image/png" }),
        ...(body === undefined
          ? []
          : badBodies.map((bad) => traffic.send(method, filled, "trusted", ...bad))),
      ]);
      await traffic.send(method, filled, "trusted", body);
      await traffic.send(method, `${filled}?cursor=%00&limit=x&unknown=1`, "operator", body);
      if (method !== "DELETE") await traffic.send(method, filled, "operator", body);
    }
    await traffic.send("PATCH", filled, "trusted", {});
    await traffic.send("OPTIONS", filled, null);
    for (const address of addresses.inPath) {
      const inPath = path.replaceAll(/:(\w+)/g, encodeURIComponent(address));
      await traffic.send("GET", `${inPath}?address=${encodeURIComponent(address)}`, "operator");
    }
  }
}

type Sent = readonly [body: string | Uint8Array<ArrayBuffer>, headers?: Readonly<Record<string, string>>];

/** Bodies that are refused for what they are. */
const badBodies: readonly Sent[] = [
  ["{"],
  [`{"a":${"[".repeat(200)}${"]".repeat(200)}}`],
  ['{"itemId":"a","itemId":"b"}'],
  [new Uint8Array([0x7b, 0xff, 0x7d])],
  ["x", { "content-type": "text/plain" }],
  [" ".repeat(70_000)],
  ["{}", { "content-encoding": "gzip" }],
  ['{"itemId": 5, "unknown": true}'],
  ["{}", { "idempotency-key": "x".repeat(300), prefer: "wait=99" }],
];
