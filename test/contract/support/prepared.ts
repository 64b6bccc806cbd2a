import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GavelProcess, startGavelProcess } from "../../../local/gavel-process.ts";
import type { LocalFile } from "../../../local/home.ts";
import { partitionFor } from "../../../src/kafka/partitioner.ts";
import { createUpstashLog } from "../../../src/kafka/upstash.ts";
import { Receiver } from "../../support/receiver/receiver.ts";

/** As wrangler.toml has it. */
const partitionCount = 8;
/** The partition that the examples of operating name. */
const operated = 0;
/** So that there is something of several keys. */
const auctions = 12;

/** A whole Gavel with something of everything in it, so that every operation has what it is about. */
export interface PreparedGavel {
  readonly local: LocalFile;
  /** Where subscribers may be: an endpoint of it that is not asked to do otherwise takes what it is sent. */
  readonly receiver: Receiver;
  readonly known: Known;
  stop(): Promise<void>;
}

/** What is there, by its ids. */
interface Known {
  /** The endpoint that fails. */
  readonly subscription: string;
  /** Keys of partition 0 of group `notify` of which something is parked. */
  readonly keys: readonly string[];
  /** An item that was withdrawn, and the event of a bid on it. */
  readonly item: string;
  readonly event: string;
  /** A category of which there is an analysis, in a moment. */
  readonly analysis: string;
  readonly replay: string;
}

/**
 * Starts `npm start`'s processes on free ports and prepares them: an endpoint that always fails is
 * subscribed, and has parked records, of a key and of none; a bidder has won and another lost.
 */
export async function startPrepared(
  environment: Readonly<Record<string, string>> = {},
): Promise<PreparedGavel> {
  const home = mkdtempSync(join(tmpdir(), "gavel-contract-"));
  const receiver = await Receiver.start();
  let gavel: GavelProcess | undefined;
  const stop = async () => {
    await gavel?.stop();
    await receiver.stop();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    // What fails waits for longer than the tests take, unless they have it called.
    const patience = { SUBSCRIBER_ATTEMPTS: "100", SUBSCRIBER_FIRST_RETRY_MS: "600000" };
    gavel = await startGavelProcess({ home, environment: { ...patience, ...environment } });
    return { local: gavel.local, receiver, known: await prepare(gavel.local, receiver), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepare(local: LocalFile, receiver: Receiver): Promise<Known> {
  // By the record: an endpoint that fails as a whole would be left alone after a few.
  receiver.script("/failing", { kind: "status", status: 200, listed: "retry" });
  const operator = client(local, local.keys.operator);
  const failing = { url: `${receiver.url}/failing`, from: "earliest" };
  const subscription = await operator("POST", "/v1/subscriptions", failing);
  const backend = client(local, local.keys.backend);
  const keys = Array.from({ length: 200 }, (_, index) => `chair-${index}`)
    .filter((itemId) => partitionFor(itemId, partitionCount) === operated)
    .slice(0, auctions);
  const bids = [];
  for (const itemId of keys) bids.push(await auction(backend, itemId));
  await appendWithoutKey(local);
  const replay = await operator("POST", "/v1/replays", { analysis: "category-totals" });
  const [item = "", event = ""] = [keys[0], bids[0]?.id];
  return { subscription: subscription.id, keys, item, event, analysis: "chairs", replay: replay.id };
}

/** One is outbid, and both learn that the item was withdrawn. */
async function auction(send: Send, itemId: string): Promise<Created> {
  const of = { category: "chairs", currency: "EUR", startingPrice: 100 };
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  await send("POST", "/v1/items", { itemId, sellerId: "grace", title: "A chair", ...of, endsAt });
  await send("POST", "/v1/bids", { itemId, bidderId: "ada", amount: 100, currency: "EUR" });
  const bid = await send("POST", "/v1/bids", { itemId, bidderId: "ben", amount: 200, currency: "EUR" });
  await send("POST", `/v1/items/${itemId}/withdraw`, {});
  return bid;
}

/** Another producer's record, which has no key. */
async function appendWithoutKey({ bridge }: LocalFile): Promise<void> {
  const record = { topic: "auction.notifications", partition: operated, key: "", value: "{}", headers: [] };
  const timestamp = Date.now();
  const [result] = await createUpstashLog(bridge).produce([{ ...record, timestamp }], timestamp + 5_000);
  if (result?.ok !== true) throw new Error("The log does not take a record without a key");
}

interface Created {
  readonly id: string;
}

type Send = (method: string, path: string, body: unknown) => Promise<Created>;

function client(local: LocalFile, key: string): Send {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", prefer: "wait=10" };
    const answer = await fetch(local.url + path, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Created;
  };
}
