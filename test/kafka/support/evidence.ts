import { setTimeout as sleep } from "node:timers/promises";
import type { GavelProcess } from "../../../local/gavel-process.ts";
import { topics } from "../../../src/topics.ts";
import { type ItemAnswer, send } from "../../e2e/support/http.ts";
import { checkedRoles, type Evidence, violationsOf, type WholeLog } from "../../support/history/checker.ts";
import type { History, Place } from "../../support/history/history.ts";
import { readFromBrokers } from "./brokers.ts";

/** How long items may take to end and outputs to be written, in milliseconds. */
const patienceMs = 60_000;

/**
 * What the run left behind, once everything has taken effect: outputs follow the state by moments,
 * so that a run with violations is looked at again until its time is up.
 */
export async function gatherEvidence(
  bootstrap: readonly string[],
  gavel: GavelProcess,
  history: History,
): Promise<Evidence> {
  const deadline = Date.now() + patienceMs;
  const items = await settledItems(gavel, history, deadline);
  for (;;) {
    const { attempts, disturbances } = history;
    const evidence = { attempts, disturbances, items, log: await wholeLog(bootstrap) };
    if (violationsOf(evidence).length === 0 || Date.now() > deadline) return evidence;
    await sleep(2_000);
  }
}

async function wholeLog(bootstrap: readonly string[]): Promise<WholeLog> {
  const log = await readFromBrokers(bootstrap, Object.values(topics));
  const entries = checkedRoles.map((role) => [role, log[topics[role]] ?? []] as const);
  return Object.fromEntries(entries) as unknown as WholeLog;
}

/** Every item that was listed, once the last thing acknowledged of it has taken effect and what ends has ended. */
async function settledItems(
  gavel: GavelProcess,
  history: History,
  deadline: number,
): Promise<Map<string, ItemAnswer>> {
  const last = new Map<string, Place>();
  const endings = new Map<string, number>();
  for (const { event, told } of history.acknowledged) {
    const { itemId, endsAt } = event.data;
    if (typeof endsAt === "string") endings.set(itemId, Date.parse(endsAt));
    const before = last.get(itemId);
    if (before === undefined || before.topic !== told.topic || before.offset < told.offset) {
      last.set(itemId, told);
    }
  }
  const items = new Map<string, ItemAnswer>();
  for (const [itemId, place] of last) {
    const endsAt = endings.get(itemId);
    if (endsAt === undefined) continue;
    items.set(itemId, await settledItem(gavel, { itemId, place, endsAt }, deadline));
  }
  return items;
}

async function settledItem(
  { local }: GavelProcess,
  { itemId, place, endsAt }: { readonly itemId: string; readonly place: Place; readonly endsAt: number },
  deadline: number,
): Promise<ItemAnswer> {
  const after = encodeURIComponent(`${place.topic}:${place.partition}:${place.offset}`);
  for (;;) {
    const url = `${local.url}/v1/items/${itemId}?after=${after}`;
    const { status, body } = await send<ItemAnswer>(url, local.keys.backend);
    const isEnding = endsAt < deadline;
    if (status === 200 && (!isEnding || body.status !== "open")) return body;
    if (Date.now() > deadline) throw new Error(`${itemId} does not settle: ${JSON.stringify(body)}`);
    await sleep(100);
  }
}
