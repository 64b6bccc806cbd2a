import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import type { PartitionView } from "../../src/groups/view.ts";
import { topics } from "../../src/topics.ts";
import { checkDeliveries } from "../support/receiver/checker.ts";
import { Receiver } from "../support/receiver/receiver.ts";
import type { Answer } from "../support/receiver/script.ts";
import { freshHome, killEverything, npmStartUnattended, pidOf } from "./support/home.ts";
import { item, send } from "./support/http.ts";
import { header, readTopic, withoutRepetitions } from "./support/log-reader.ts";

const items = 40;
const bidsEach = 50;
const perRequest = 100;
const victims = ["workerd", "workerd", "bridge", "everything"] as const;
const kills = 12;

const failing: readonly Answer[] = [
  { kind: "status", status: 500 },
  { kind: "status", status: 429, headers: { "retry-after": "1" } },
  { kind: "hang" },
  { kind: "cut", when: "before" },
  { kind: "status", status: 200, listed: "retry" },
];

const environment = {
  LOG_LEVEL: "warn",
  SUBSCRIBER_TIMEOUT_MS: "1000",
  SUBSCRIBER_FIRST_RETRY_MS: "20",
  SUBSCRIBER_LONGEST_RETRY_MS: "200",
};

let receiver: Receiver | undefined;
afterAll(() => receiver?.stop());

/** Rising bids of two bidders in turn, so that each outbids the other; sent until the log has them. */
async function bid(target: () => { readonly url: string; readonly key: string }): Promise<void> {
  const bids = Array.from({ length: items * bidsEach }, (_, index) => {
    const [lot, level] = [index % items, Math.floor(index / items)];
    const bidderId = level % 2 === 0 ? "ada" : "ben";
    return { itemId: `lot-${lot}`, bidderId, bidId: `bid-${index}`, amount: 100 + level, currency: "EUR" };
  });
  for (let first = 0; first < bids.length; first += perRequest) {
    const part = bids.slice(first, first + perRequest);
    for (let isTaken = false; !isTaken;) {
      const { url, key } = target();
      const answer = await send(`${url}/v1/bids`, key, part).catch(() => undefined);
      isTaken = answer?.status === 202;
      await sleep(isTaken ? 100 : 200);
    }
  }
}

it("from bid to subscriber: whatever is killed, every notification arrives, in order per item and never two at a time", async () => {
  const home = freshHome();
  const start = () => npmStartUnattended({ home, environment });
  let gavel = await start();
  receiver = await Receiver.start();
  receiver.script("/hook", {
    kind: "share",
    seed: 1,
    share: 0.05,
    failing,
    otherwise: { kind: "status", status: 200 },
  });
  try {
    const { operator, backend } = gavel.local.keys;
    const url = `${receiver.url}/hook`;
    const types = ["gavel.bidder.outbid.v1"];
    const made = await send<{ id: string }>(`${gavel.local.url}/v1/subscriptions`, operator, {
      url,
      filter: { types },
    });
    expect(made.status).toBe(201);
    const lots = Array.from({ length: items }, (_, index) => item(`lot-${index}`, 3_600_000));
    expect((await send(`${gavel.local.url}/v1/items`, backend, lots)).status).toBe(202);
    const bidding = bid(() => ({ url: gavel.local.url, key: backend }));
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(500 + Math.random() * 1_000);
      const victim = victims[kill % victims.length];
      if (victim === "everything") {
        killEverything(gavel, home);
        await gavel.ended;
        gavel = await start();
      } else if (victim !== undefined) {
        process.kill(pidOf(home, victim), "SIGKILL");
        await expect.poll(() => readyStatus(gavel.local.url), { timeout: 30_000 }).toBe(200);
      }
    }
    await bidding;
    const groupUrl = `${gavel.local.url}/v1/groups`;
    const isDone = async (): Promise<boolean> => {
      const answers = await Promise.all(
        ["auction", "notify"].map((group) =>
          send<{ partitions: PartitionView[] }>(`${groupUrl}/${group}/partitions`, operator),
        ),
      );
      return answers.every(({ body }) =>
        body.partitions.every(
          ({ oldest, outbox, topics: read }) =>
            oldest === null && outbox === 0 && read.every(({ lag }) => lag === 0),
        ),
      );
    };
    await expect.poll(isDone, { timeout: 60_000, interval: 500 }).toBe(true);
    const notifications = (await readTopic(gavel.local.bridge, topics.notifications)).flatMap(
      withoutRepetitions,
    );
    const records = notifications.filter((record) => types.includes(header(record, "ce_type")));
    expect(records.length).toBeGreaterThan(items * (bidsEach - 2));
    console.log(`${receiver.calls.length} calls for ${records.length} notifications`);
    expect(receiver.violations).toEqual([]);
    expect(checkDeliveries(receiver.callsOf("/hook"), { records })).toEqual([]);
  } finally {
    await gavel.stop();
  }
});

async function readyStatus(url: string): Promise<number> {
  return fetch(`${url}/readyz`).then(
    ({ status }) => status,
    () => 0,
  );
}
