import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asyncApiDocument } from "../../contract/asyncapi.ts";
import { records } from "../../contract/records.ts";
import type { GavelProcess } from "../../local/gavel-process.ts";
import type { LocalFile } from "../../local/home.ts";
import type { KafkaLog, LogRecord } from "../../src/kafka/port.ts";
import { createUpstashLog } from "../../src/kafka/upstash.ts";
import { eventTypes, type TopicRole, topics } from "../../src/topics.ts";
import { RecordChecker } from "../support/contract/record-checker.ts";
import { freshHome, npmStartUnattended } from "./support/home.ts";

const partitionCount = 8;
const roles = Object.keys(topics) as TopicRole[];
/** Told where the log deletes what was not read, which this one does not. */
const unseen = new Set<string>([eventTypes.logGap]);

const checker = new RecordChecker(asyncApiDocument("0.0.0"));
let gavel: GavelProcess;
let endpoint: Server;
let log: KafkaLog;
const calls: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

beforeAll(async () => {
  endpoint = createServer((request, response) => {
    const { headers, url: path = "" } = request;
    void text(request).then((body) => {
      calls.push({ path, headers, body });
      response.writeHead(path === "/gone" ? 410 : 200).end();
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  gavel = await npmStartUnattended({ home: freshHome() });
  log = createUpstashLog(gavel.local.bridge);
}, 120_000);
afterAll(async () => {
  await gavel.stop();
  endpoint.close();
});

async function send(
  key: keyof LocalFile["keys"],
  path: string,
  body: unknown,
  method = "POST",
): Promise<void> {
  const { keys, url } = gavel.local;
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${keys[key]}`, "content-type": "application/json", prefer: "wait=10" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** Auctions that end in every way, with everything that an item and a profile may have. */
async function auctions(): Promise<void> {
  const attributes = { material: "brass", year: 1931, works: true };
  for (const [index, itemId] of ["sold", "unsold", "taken-back"].entries()) {
    const endsAt = new Date(Date.now() + 3_000).toISOString();
    const of = { title: "A lamp", category: "lamps", currency: "EUR", startingPrice: 100 };
    const more = index === 0 ? { attributes, description: "Of brass", reserve: 150, increment: 5 } : {};
    await send("backend", "/v1/items", { itemId, sellerId: "grace", ...of, ...more, endsAt });
    const bid = (bidderId: string, amount: number) =>
      send("backend", "/v1/bids", { itemId, bidderId, amount, currency: "EUR" });
    if (itemId === "unsold") continue;
    await bid("ada", 100);
    await bid("ben", 200);
    await bid("cleo", 1);
  }
  await send("backend", "/v1/items/taken-back/withdraw", { reason: "It fell down" });
}

async function recordsOf(role: TopicRole): Promise<LogRecord[]> {
  const pages = Array.from({ length: partitionCount }, (_, partition) =>
    log.fetch({ topic: topics[role], partition, offset: 0 }, Date.now() + 5_000),
  );
  return (await Promise.all(pages)).flatMap(({ records: found }) => found);
}

const typeOf = ({ headers }: LogRecord) => headers.find(({ key }) => key === "ce_type")?.value ?? "";

test("every record of the log, and whatever is delivered of it, is as the document says; each type was there", async () => {
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  for (const [path, mode] of [
    ["structured", { mode: "structured" }],
    ["binary", { mode: "binary" }],
    ["batch", { batch: { count: 50 }, order: "partition" }],
    ["gone", {}],
  ] as const) {
    await send("operator", "/v1/subscriptions", { url: `${url}/${path}`, from: "earliest", ...mode });
  }
  const profile = { displayName: "Grace", country: "TR", rating: 99.5, attributes: { since: 2011 } };
  await send("operator", "/v1/profiles/grace", profile, "PUT");
  await auctions();
  await log.produce(
    [{ topic: topics.journal, partition: 0, key: "?", value: "?", timestamp: Date.now(), headers: [] }],
    Date.now() + 5_000,
  );
  const expected = Object.values(records).flatMap((messages) => messages.map(({ type }) => type));
  const missing = async () => {
    const seen = new Set((await Promise.all(roles.map(recordsOf))).flat().map(typeOf));
    return expected.filter((type) => !seen.has(type) && !unseen.has(type));
  };
  for (const end = Date.now() + 60_000; (await missing()).length > 0 && Date.now() < end;) await sleep(500);
  expect(await missing()).toEqual([]);

  for (const role of roles) {
    const own = (await recordsOf(role)).filter(({ key }) => key !== "?" || role === "deadLetters");
    expect(own.length, role).toBeGreaterThan(0);
    expect(own.flatMap((record) => checker.faultsOf(role, record))).toEqual([]);
  }

  const deliveredTo = (path: string) => calls.filter((call) => call.path === path);
  for (const end = Date.now() + 30_000; !calls.some(isBatch) && Date.now() < end;) await sleep(200);
  expect(deliveredTo("/structured").flatMap((call) => faultsOf("structuredEvent", call))).toEqual([]);
  expect(deliveredTo("/binary").flatMap((call) => faultsOf("binaryEvent", call))).toEqual([]);
  expect(calls.filter(isBatch).flatMap((call) => faultsOf("batchOfEvents", call))).toEqual([]);
  for (const path of ["/structured", "/binary"]) expect(deliveredTo(path).length).toBeGreaterThan(3);
});

type Call = (typeof calls)[number];

function isBatch({ headers }: Call): boolean {
  return headers["content-type"] === "application/cloudevents-batch+json";
}

function faultsOf(name: string, { headers, body }: Call): string[] {
  return checker.faultsOfMessage(name, headers, JSON.parse(body));
}
