import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { text as textOf } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { topics } from "../../src/topics.ts";
import { createSearch, type Found, formsOf } from "./support/address-search.ts";
import { addresses, callEveryRoute, routesOfTable, Traffic } from "./support/address-traffic.ts";
import { freshHome, npmStart, pidOf } from "./support/home.ts";
import { item } from "./support/http.ts";
import { readTopic } from "./support/log-reader.ts";

const inHeaders = [...addresses.connecting, ...addresses.forwarded];
const search = createSearch(formsOf([...inHeaders, ...addresses.inPath]));
const searchForHeaders = createSearch(formsOf(inHeaders));

const closing: (() => void)[] = [];
afterAll(() => closing.forEach((close) => close()));

interface Subscriber {
  readonly url: string;
  /** Every call as it came: its headers and its body. */
  readonly calls: string[];
}

async function subscriber(status: number): Promise<Subscriber> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      calls.push(`${request.method} ${request.url} ${request.rawHeaders.join("\n")}\n${body}`);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, calls };
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(100)) if (await isSo()) return;
  throw new Error(`${what} does not happen`);
}

/**
 * What is on disk, by file: the log, the objects' and the database's SQLite files, their journals. Of a
 * database also its values, one after the other: in the file a long one is parted by its pages' ends.
 */
function filesOf(home: string): Map<string, Buffer> {
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // The bundle is code and public data: it holds no client's bytes.
    .filter((path) => !path.startsWith(join(home, "run", "worker")));
  const databases = files.filter((path) => path.endsWith(".sqlite"));
  return new Map([
    ...files.map((path) => [relative(home, path), readFileSync(path)] as const),
    ...databases.map((path) => [`${relative(home, path)}, values`, valuesOf(path)] as const),
  ]);
}

function valuesOf(path: string): Buffer {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const values = tables.flatMap(({ name }) => {
    const rows = database.prepare(`SELECT * FROM "${String(name)}"`);
    rows.setReadBigInts(true);
    return [...rows.iterate()].flatMap((row) => Object.values(row));
  });
  database.close();
  return Buffer.concat(
    values.flatMap((value) => [
      value instanceof Uint8Array ? value : Buffer.from(String(value)),
      Buffer.from("\n"),
    ]),
  );
}

function findIn(places: ReadonlyMap<string, Buffer>, look = search): ({ where: string } & Found)[] {
  return [...places].flatMap(([where, bytes]) => look(bytes).map((found) => ({ where, ...found })));
}

const environment = {
  MAX_BODY_BYTES: "65536",
  SUBSCRIBER_ATTEMPTS: "2",
  SUBSCRIBER_FIRST_RETRY_MS: "20",
  SUBSCRIBER_LONGEST_RETRY_MS: "50",
  RATE_LIMIT_CREDENTIAL_QUOTA: "100000/60",
  RATE_LIMIT_ADDRESS_QUOTA: "100000/60",
  RATE_LIMIT_UNKNOWN_QUOTA: "40/60",
};

test("a client's address, sent in every way to every route, is in no file, record, line, answer or delivery", async () => {
  const home = freshHome();
  const gavel = await npmStart({ home, environment });
  const { bridge } = gavel.local;
  const traffic = new Traffic(gavel.local);
  const [willing, refusing] = [await subscriber(200), await subscriber(400)];
  for (const { url } of [willing, refusing])
    await traffic.send("POST", "/v1/subscriptions", "operator", { url });
  await traffic.follow("lamp,chair", "trusted", async () => {
    await sellLamp(traffic);
    await until("the winner's delivery", () =>
      willing.calls.some((call) => call.includes("gavel.bidder.won.v1")),
    );
  });
  expect(traffic.answers.at(-1)?.text).toContain('"status":"sold"');
  await until("a dead letter", async () => {
    const { text } = await traffic.send("GET", "/v1/groups/notify/dead-letters", "operator");
    return text.includes("answered 400");
  });
  await until("the read model's row", async () => {
    return (await traffic.send("GET", "/v1/auctions", "trusted")).text.includes("lamp");
  });

  const routes = routesOfTable();
  expect(routes.length).toBeGreaterThan(35);
  expect(routes.every(({ methods }) => methods.length > 0)).toBe(true);
  const subscriptions = (await traffic.send("GET", "/v1/subscriptions", "operator")).text;
  const id = /"id":"([^"]+)"/.exec(subscriptions)?.[1] ?? "";
  await callEveryRoute(traffic, routes, {
    ...{ itemId: "lamp", bidderId: "lin", group: "notify", partition: "3", key: "lamp", profileId: "lin" },
    ...{ id, keyId: "nobody" },
  });
  await traffic.send("GET", `/nowhere/${addresses.inPath[0]}`, "trusted");
  await whileTheLogHangs(home, async () => {
    const bid = { itemId: "lamp", bidderId: "lin", amount: 900, currency: "EUR" };
    expect((await traffic.send("POST", "/v1/bids", "trusted", bid)).status).toBe(503);
  });
  await traffic.send("GET", "/metrics", "operator");

  const records = await Promise.all(Object.values(topics).map((topic) => readTopic(bridge, topic)));
  const bridgeMetrics = await (await fetch(`${bridge.url}/metrics`)).text();
  await gavel.stop();

  const every = [200, 201, 202, 204, 207, 400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 503];
  expect(every.filter((status) => !traffic.statuses.has(status))).toEqual([]);
  const files = filesOf(home);
  const places = new Map([
    ...files,
    ["records", Buffer.from(JSON.stringify(records))],
    ["log lines", Buffer.from(gavel.output())],
    ["the bridge's metrics", Buffer.from(bridgeMetrics)],
    ["deliveries", Buffer.from([...willing.calls, ...refusing.calls].join("\n"))],
  ]);
  // What is searched is really there, and has heard of what was sent: the address was even looked up.
  expect([...files.keys()].filter((name) => name.endsWith(".sqlite")).length).toBeGreaterThan(20);
  expect(records.flat(2).filter(({ value }) => value.includes('"country":"NL"')).length).toBeGreaterThan(3);
  expect(places.get("records")?.includes("gavel.dead-letter.v1")).toBe(true);
  expect(places.get("log lines")?.includes('"route":"/v1/bids","status":503')).toBe(true);

  expect(findIn(places)).toEqual([]);
  const answers = new Map([["answers", Buffer.from(traffic.answers.map(({ text }) => text).join("\n"))]]);
  expect(findIn(answers, searchForHeaders)).toEqual([]);
});

/** An auction from its listing to its end, by every kind of body, with an event that becomes a dead letter. */
async function sellLamp(traffic: Traffic): Promise<void> {
  const wait = { prefer: "wait=5" };
  await traffic.send("POST", "/v1/items", "trusted", item("lamp", 4_000), wait);
  await traffic.send("POST", "/v1/items", "trusted", [item("chair", 600_000), item("table", 600_000)]);
  const bid = (bidderId: string, amount: number) => ({ itemId: "lamp", bidderId, amount, currency: "EUR" });
  await traffic.send("POST", "/v1/bids", "trusted", bid("lin", 100), wait);
  await traffic.send("POST", "/v1/bids", "client", bid("ada", 200), wait);
  await traffic.send("POST", "/v1/bids", "trusted", bid("lin", 300), wait);
  await traffic.send("POST", "/v1/bids", "trusted", [bid("eve", 50), { ...bid("eve", 60), amount: "much" }]);
  const lines = `${JSON.stringify(bid("kay", 310))}\n${JSON.stringify(bid("lin", 320))}\n`;
  await traffic.send("POST", "/v1/bids", "trusted", lines, { "content-type": "application/x-ndjson" });
  const event = {
    specversion: "1.0",
    type: "gavel.bid.placed.v1",
    source: "/app",
    id: "bid-1",
    data: bid("kay", 400),
  };
  await traffic.send("POST", "/v1/events", "trusted", event, {
    "content-type": "application/cloudevents+json",
  });
  await traffic.send(
    "POST",
    "/v1/events",
    "trusted",
    [event, { ...event, id: "bid-2", data: bid("lin", 500) }],
    {
      "content-type": "application/cloudevents-batch+json",
    },
  );
  await traffic.send("POST", "/v1/events", "trusted", bid("kay", 600), {
    ...{ "ce-specversion": "1.0", "ce-type": "gavel.bid.placed.v1", "ce-source": "/app", "ce-id": "bid-3" },
  });
  await traffic.send("POST", "/v1/items/chair/withdraw", "trusted", { reason: "broken" }, wait);
  await traffic.send("PUT", "/v1/profiles/lin", "operator", { displayName: "Lin", rating: 5 });
}

/** The bridge is there and says nothing: what was begun is given up at its deadline. */
async function whileTheLogHangs(home: string, body: () => Promise<void>): Promise<void> {
  const pid = pidOf(home, "bridge");
  process.kill(pid, "SIGSTOP");
  try {
    await body();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

test("an address that is planted is found, in each place and each form that is searched", async () => {
  const home = freshHome();
  const gavel = await npmStart({ home });
  const { bridge } = gavel.local;
  const traffic = new Traffic(gavel.local);
  // A client's own words are kept as they are.
  const [address4, address6] = addresses.connecting;
  const planted = [...textsOf(address4), ...textsOf(address6)];
  const wait = { prefer: "wait=5" };
  const description = planted.map(({ text }) => text).join("~");
  await traffic.send("POST", "/v1/items", "trusted", { ...item("lamp", 600_000), description }, wait);
  await traffic.send("PUT", "/v1/profiles/lin", "operator", { displayName: `Lin of ${address4}` });
  await traffic.send("GET", "/v1/items/lamp", "trusted");
  const records = await readTopic(bridge, topics.items);
  await gavel.stop();

  const expected = planted.map(({ form, address }) => `${address} ${form}`).toSorted();
  const told = (found: readonly Found[]) => found.map(({ form, address }) => `${address} ${form}`).toSorted();
  expect(told(search(Buffer.from(JSON.stringify(records))))).toEqual(expected);
  expect(told(searchForHeaders(Buffer.from(traffic.answers.map(({ text }) => text).join())))).toEqual(
    expected,
  );
  const found = findIn(filesOf(home));
  for (const file of [/^log\.sqlite/, /^objects\/.*Partition.*\.sqlite/]) {
    expect([...new Set(told(found.filter(({ where }) => file.test(where))))], String(file)).toEqual(expected);
  }
  const inDatabase = found.filter(({ where }) => /^objects\/.*D1Database.*\.sqlite/.test(where));
  expect(new Set(told(inDatabase))).toEqual(new Set([`${address4} text`]));
});

/** An address in each form that a text can have, made without what searches for it. */
function textsOf(address: string): { form: string; address: string; text: string }[] {
  const bytes = Buffer.from(address);
  const sixteen = inSixteenBytes(address);
  const hashes = ["md5", "sha1", "sha256"].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(address).digest();
    return [
      { form: `${algorithm} in hex`, text: digest.toString("hex") },
      { form: `${algorithm} in base64`, text: digest.toString("base64url") },
    ];
  });
  return [
    { form: "text", text: address },
    { form: "hex", text: bytes.toString("hex").toUpperCase() },
    { form: "base64", text: Buffer.from(`ip=${address};`).toString("base64") },
    { form: "binary in hex", text: sixteen.toString("hex") },
    { form: "binary in base64", text: sixteen.toString("base64") },
    ...hashes,
  ].map((form) => ({ address, ...form }));
}

function inSixteenBytes(address: string): Buffer {
  // The runtime's own parser, by way of a URL: none of the library's that the search takes apart with.
  const { hostname } = new URL(`http://[${address.includes(":") ? address : `::ffff:${address}`}]`);
  const [head = "", tail = ""] = hostname.slice(1, -1).split("::");
  const [left, right] = [head, tail].map((part) => part.split(":").filter((group) => group !== ""));
  const gap = Array.from({ length: 8 - (left?.length ?? 0) - (right?.length ?? 0) }, () => "0");
  const groups = [...(left ?? []), ...gap, ...(right ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}

test("an address in bytes is found in a SQLite file and anywhere among others", () => {
  for (const address of inHeaders) {
    const digests = ["md5", "sha1", "sha256"].map((algorithm) => {
      return [algorithm, createHash(algorithm).update(address).digest()] as const;
    });
    const forms = [
      ["text", Buffer.from(address)],
      ["text of two bytes a character", Buffer.from(address, "utf16le")],
      ["binary", inSixteenBytes(address)],
      ...digests,
    ] as const;
    for (const [form, bytes] of forms) {
      const database = new DatabaseSync(":memory:");
      database.exec("CREATE TABLE cells (value BLOB)");
      database.prepare("INSERT INTO cells VALUES (?)").run(bytes);
      const row = database.prepare("SELECT value FROM cells").get();
      const file = Buffer.concat([
        randomBytes(1_001),
        Buffer.from(row?.["value"] as Uint8Array),
        randomBytes(77),
      ]);
      database.close();
      expect(search(file)).toContainEqual({ address, form });
    }
  }
  expect(search(randomBytes(1_000_000))).toEqual([]);
});
