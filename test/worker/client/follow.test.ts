import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createClient } from "../../../client/client.ts";
import type { Following } from "../../../client/follow/follow.ts";
import type { LiveItem } from "../../../client/follow/message.ts";
import type { Fetch, Socket } from "../../../client/host.ts";
import { keys, newBid, openItem } from "../edge/client.ts";

const worker = (exports as unknown as { default: { fetch: typeof fetch } }).default;
const gateway: Fetch = (url, init) => worker.fetch(url, init);

/** WebSockets to the Worker under test, as the platform's own would be to a gateway elsewhere. */
class Sockets {
  readonly opened: WebSocket[] = [];

  readonly open = (url: string): Socket => {
    const listeners: [string, (event: never) => void][] = [];
    let socket: WebSocket | undefined;
    const connect = async (): Promise<void> => {
      const response = await worker.fetch(url.replace(/^ws/, "http"), { headers: { upgrade: "websocket" } });
      if (response.webSocket === null) throw new Error(`not upgraded: ${response.status}`);
      socket = response.webSocket;
      this.opened.push(socket);
      for (const [type, listener] of listeners) {
        if (type === "open") (listener as () => void)();
        else socket.addEventListener(type as "message", listener as (event: MessageEvent) => void);
      }
      socket.accept();
    };
    connect().catch(() => {
      for (const [type, listener] of listeners) if (type === "error") (listener as () => void)();
    });
    return {
      addEventListener: (type: string, listener: (event: never) => void) =>
        void listeners.push([type, listener]),
      send: (text) => socket?.send(text),
      close: () => socket?.close(1000, "left"),
    };
  };
}

/** Reads until an item is as it should be; answers everything that was told up to then. */
async function until(following: Following, isReached: (item: LiveItem) => boolean): Promise<LiveItem[]> {
  const told: LiveItem[] = [];
  for await (const item of following) {
    told.push(item);
    if (isReached(item)) return told;
  }
  throw new Error("it ended");
}

const amountOf = (item: LiveItem) => (item.status === "unknown" ? 0 : (item.highest?.amount ?? 0));

test.each(["websocket", "events"] as const)(
  "an item is followed by %s: its state, and each change of it",
  async (transport) => {
    const sockets = new Sockets();
    const client = createClient({
      url: "https://gavel.test",
      credential: keys.backend,
      fetch: gateway,
      openSocket: sockets.open,
    });
    const { itemId } = await openItem();
    const following = client.follow([itemId], { transport });
    const read = until(following, (item) => amountOf(item) === 1_500);
    await client.placeBid(newBid(itemId, { amount: 1_200 }), { waitSeconds: 10 });
    await client.placeBid(newBid(itemId, { amount: 1_500 }), { waitSeconds: 10 });
    const told = await read;
    expect(told.at(-1)).toMatchObject({
      itemId,
      status: "open",
      bids: 2,
      highest: { amount: 1_500, bidderId: "ben" },
    });
    const sequences = told.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].toSorted((one, other) => one - other));
    expect(sockets.opened.length).toBe(transport === "websocket" ? 1 : 0);
  },
);

test("a connection that breaks again and again loses no item's latest state, and tells none twice", async () => {
  const sockets = new Sockets();
  const options = { url: "https://gavel.test", credential: keys.backend, fetch: gateway, random: () => 0.05 };
  const client = createClient({ ...options, openSocket: sockets.open });
  const items = await Promise.all([openItem(), openItem(), openItem()]);
  const ids = items.map(({ itemId }) => itemId);
  const last = new Map<string, LiveItem>();
  const seen: string[] = [];
  const read = until(client.follow(ids), (item) => {
    last.set(item.itemId, item);
    seen.push(`${item.itemId} ${item.sequence}`);
    return ids.every((itemId) => amountOf(last.get(itemId) ?? item) === 1_030);
  });
  for (let round = 1; round <= 30; round += 1) {
    const bids = ids.map((itemId) =>
      newBid(itemId, { amount: 1_000 + round, bidderId: `bidder-${round % 3}` }),
    );
    await client.placeBids(bids);
    // As a network breaks: the client learns of it, and the gateway is told nothing more.
    if (round % 6 === 0) sockets.opened.at(-1)?.close(3001, "broken");
  }
  await read;
  expect(sockets.opened.length).toBeGreaterThan(1);
  expect(new Set(seen).size).toBe(seen.length);
});

test("a follower that comes back later with its position is told what has changed, and nothing else", async () => {
  const client = createClient({ url: "https://gavel.test", credential: keys.backend, fetch: gateway });
  const [lamp, vase] = [await openItem(), await openItem()];
  const ids = [lamp.itemId, vase.itemId];
  const first = client.follow(ids);
  const reader = first[Symbol.asyncIterator]();
  const told = [await reader.next(), await reader.next()].map(({ value }) => value?.itemId);
  expect(new Set(told)).toEqual(new Set(ids));
  // Asking for more says that these were dealt with.
  const more = reader.next();
  await reader.return?.();
  expect((await more).done).toBe(true);
  const after = first.position;
  if (after === undefined) throw new Error("everything was read");
  await client.placeBid(newBid(vase.itemId, { amount: 1_700 }), { waitSeconds: 10 });
  const [change] = await until(client.follow(ids, { after }), () => true);
  expect(change).toMatchObject({ itemId: vase.itemId, highest: { amount: 1_700 } });
});

test("what cannot be followed is told, and not tried for ever", async () => {
  const follow = (credential: string, ids: readonly string[], transport: "websocket" | "events") => {
    const sockets = new Sockets();
    const options = {
      url: "https://gavel.test",
      credential,
      fetch: gateway,
      openSocket: sockets.open,
      random: () => 0,
    };
    const following = createClient(options).follow(ids, { transport });
    return until(following, () => true).catch((error: unknown) => error);
  };
  const tooMany = Array.from({ length: 65 }, (_, index) => `item-${index}`);
  expect(await follow("gvl_nobody_secret", ["lamp"], "websocket")).toMatchObject({ code: "unauthenticated" });
  expect(await follow(keys.backend, tooMany, "events")).toMatchObject({ code: "too-many" });
  // A WebSocket does not say why it was refused: what is asked next does.
  expect(await follow(keys.backend, tooMany, "websocket")).toMatchObject({ code: "too-many" });
});
