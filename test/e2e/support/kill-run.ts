import { setTimeout as sleep } from "node:timers/promises";
import type { GavelProcess } from "../../../local/gavel-process.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import type { WholeLog } from "../../support/history/checker.ts";
import { Client } from "../../support/history/client.ts";
import { type ClientEvent, History } from "../../support/history/history.ts";
import { killEverything, npmStartUnattended, pidOf, runningIn } from "./home.ts";
import { type BatchAnswer, item, type ItemAnswer, send } from "./http.ts";
import { readTopic } from "./log-reader.ts";

export const victims = ["bridge", "gateway", "workerd", "everything"] as const;
export type Victim = (typeof victims)[number];

/** Acknowledgements that have to come after a kill before the next: the system is at work again. */
const bidsBetweenKills = 25;
const recoveryMs = 30_000;
const clients = 4;
const bidsPerRequest = 5;
/** Between two requests of a client: load enough to be hit, little enough to read back whole. */
const pauseMs = 20;
const openItems = 40;
/** Items that end, one after the other, while processes are being killed. */
const endingItems = 20;
const firstEndMs = 5_000;
const endSpacingMs = 3_000;
const lastEndMs = firstEndMs + endingItems * endSpacingMs;

/** What is left when it is over: the clients' history, the log, and what the gateway says. */
export interface KillRun {
  readonly history: History;
  readonly kills: Readonly<Record<Victim, number>>;
  /** Longest time from a kill to the next acknowledgements, in milliseconds. */
  readonly slowestRecoveryMs: Readonly<Record<Victim, number>>;
  readonly log: WholeLog;
  readonly items: ReadonlyMap<string, ItemAnswer>;
  readonly ended: readonly string[];
}

/** Kills each victim so many times while clients place bids, and looks at what is left. */
export async function runKills(home: string, killsOfEach: number): Promise<KillRun> {
  const start = (): Promise<GavelProcess> => npmStartUnattended({ home });
  let gavel = await start();
  const target = () => ({ url: gavel.local.url, key: gavel.local.keys.backend });
  const ended = await listItems(target());
  const history = new History();
  const kills = { bridge: 0, gateway: 0, workerd: 0, everything: 0 };
  const slowestRecoveryMs = { ...kills };
  const load = makeClients(history, target, [...openIds(), ...ended]);
  const running = Promise.all(load.map((client) => client.run()));
  try {
    for (let round = 0; round < killsOfEach; round++) {
      for (const victim of victims) {
        await sleep(Math.random() * 100);
        const killedAt = Date.now();
        if (victim === "everything") {
          killEverything(gavel, home);
          await gavel.ended;
          gavel = await start();
        } else {
          await killOne(home, victim);
        }
        kills[victim] += 1;
        await Promise.race([backAtWork(history, victim), running]);
        const until = Date.now();
        history.disturbances.push({ from: killedAt, until });
        slowestRecoveryMs[victim] = Math.max(slowestRecoveryMs[victim], until - killedAt);
      }
    }
    for (const client of load) client.stop();
    await running;
    const items = await settledItems(target(), history, ended);
    const { bridge, keys, url } = gavel.local;
    await untilSent({ url, key: keys.operator });
    return {
      history,
      kills,
      slowestRecoveryMs,
      log: {
        items: await readTopic(bridge, topics.items),
        journal: await readTopic(bridge, topics.journal),
        completed: await readTopic(bridge, topics.completed),
        notifications: await readTopic(bridge, topics.notifications),
        deadLetters: await readTopic(bridge, topics.deadLetters),
      },
      items,
      ended,
    };
  } catch (error) {
    throw new Error(`The run broke off; Gavel's last words:\n${lastWords(gavel)}`, { cause: error });
  } finally {
    for (const client of load) client.stop();
    await gavel.stop();
  }
}

/** What was printed last, without the lines of single requests. */
function lastWords(gavel: GavelProcess): string {
  const lines = gavel.output().split("\n");
  return lines
    .filter((line) => !line.includes('"event":"request"'))
    .slice(-40)
    .join("\n");
}

interface Target {
  readonly url: string;
  readonly key: string;
}

function openIds(): string[] {
  return Array.from({ length: openItems }, (_, index) => `open-${index}`);
}

/** Lists all items and sees them open. @returns those that end during the run. */
async function listItems({ url, key }: Target): Promise<string[]> {
  const ending = Array.from({ length: endingItems }, (_, index) => `ending-${index}`);
  const listed = await send<BatchAnswer>(`${url}/v1/items`, key, [
    ...openIds().map((itemId) => item(itemId, 3_600_000)),
    ...ending.map((itemId, index) => item(itemId, firstEndMs + index * endSpacingMs)),
  ]);
  if (listed.status !== 202) throw new Error(`listing was answered ${listed.status}`);
  for (const [index, itemId] of [...openIds(), ...ending].entries()) {
    const place = listed.body.results[index];
    const after = encodeURIComponent(`${place?.topic}:${place?.partition}:${place?.offset}`);
    const { body } = await send<ItemAnswer>(`${url}/v1/items/${itemId}?after=${after}`, key);
    if (body.status !== "open") throw new Error(`${itemId} is ${body.status}`);
  }
  return ending;
}

function makeClients(history: History, target: () => Target, itemIds: readonly string[]): Client[] {
  let level = 100;
  const nextEvent = (id: string): ClientEvent => {
    level += 1;
    const itemId = itemIds[Math.floor(Math.random() * itemIds.length)] ?? "";
    const bidderId = `bidder-${Math.floor(Math.random() * 10)}`;
    // Rising on the whole, so that about as many bids stand as fall.
    const amount = Math.max(1, level - Math.floor(Math.random() * 150));
    return { id, type: eventTypes.bidPlaced, data: { itemId, bidderId, amount, currency: "EUR" } };
  };
  return Array.from({ length: clients }, (_, index) => {
    const name = `client-${index}`;
    return new Client({ name, history, target, nextEvent, batch: bidsPerRequest, pauseMs });
  });
}

/** What is new after a kill: the launcher ends the runtime of a gateway that was killed. */
const replaced = {
  bridge: ["bridge"],
  gateway: ["gateway", "workerd"],
  workerd: ["workerd"],
} as const;

interface Sent {
  readonly outbox?: number;
  readonly topics?: readonly { readonly lag: number | null }[];
}

/** An item is as its last bid left it a moment before the log has what is told of it. */
async function untilSent({ url, key }: Target): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    const { body } = await send<{ partitions: readonly Sent[] }>(`${url}/v1/groups/auction/partitions`, key);
    const isSent = ({ outbox, topics: read = [] }: Sent): boolean =>
      outbox === 0 && read.every(({ lag }) => lag === 0);
    if (body.partitions.every(isSent)) return;
    if (Date.now() > deadline) throw new Error("outputs are not in the log");
  }
}

/** Kills one process, and waits until another is there in its place. */
async function killOne(home: string, victim: keyof typeof replaced): Promise<void> {
  const pids = (): (number | undefined)[] =>
    replaced[victim].map((role) => runningIn(home).find((running) => running.role === role)?.pid);
  const before = pids();
  process.kill(pidOf(home, victim), "SIGKILL");
  const deadline = Date.now() + recoveryMs;
  const back = (): boolean => pids().every((pid, index) => pid !== undefined && pid !== before[index]);
  while (!back()) {
    if (Date.now() > deadline) throw new Error(`no ${victim} is back after a kill`);
    await sleep(10);
  }
}

async function backAtWork(history: History, victim: Victim): Promise<void> {
  const before = history.acknowledged.length;
  const deadline = Date.now() + recoveryMs;
  while (history.acknowledged.length - before < bidsBetweenKills) {
    if (Date.now() > deadline) throw new Error(`nothing is acknowledged after a kill of ${victim}`);
    await sleep(10);
  }
}

/** Every item once the last acknowledged bid on it has taken effect, and what ends has ended. */
async function settledItems(
  { url, key }: Target,
  history: History,
  ended: readonly string[],
): Promise<Map<string, ItemAnswer>> {
  const last = new Map<string, { topic: string; partition: number; offset: number }>();
  for (const { event, told } of history.acknowledged) {
    const { itemId } = event.data;
    if (told.offset >= (last.get(itemId)?.offset ?? 0)) last.set(itemId, told);
  }
  const items = new Map<string, ItemAnswer>();
  for (const [itemId, { topic, partition, offset }] of last) {
    const after = encodeURIComponent(`${topic}:${partition}:${offset}`);
    const deadline = Date.now() + lastEndMs + recoveryMs;
    for (;;) {
      const { status, body } = await send<ItemAnswer>(`${url}/v1/items/${itemId}?after=${after}`, key);
      const settled = status === 200 && (!ended.includes(itemId) || body.status !== "open");
      if (settled) items.set(itemId, body);
      if (settled) break;
      if (Date.now() > deadline) throw new Error(`${itemId} does not settle: ${JSON.stringify(body)}`);
      await sleep(100);
    }
  }
  return items;
}
