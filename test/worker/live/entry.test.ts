import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Feed } from "../../../durable-objects/feed.ts";
import { answered, call, newBid, openItem } from "../edge/client.ts";
import { eventually } from "../partition/world.ts";
import { askLive, Follower } from "./follower.ts";

const { DATABASE, FEEDS } = env as unknown as { DATABASE: D1Database; FEEDS: DurableObjectNamespace<Feed> };
const upgrade = { upgrade: "websocket" };

interface Ticket {
  readonly ticket: string;
  readonly expiresAt: string;
}

function newTicket(): Promise<Ticket> {
  return answered<Ticket>(call("/v1/live/tickets", { method: "POST" }), 201);
}

test("a ticket opens one connection, once, within a minute", async () => {
  const { itemId } = await openItem();
  const { ticket, expiresAt } = await newTicket();
  const left = Date.parse(expiresAt) - Date.now();
  expect(left).toBeGreaterThan(50_000);
  expect(left).toBeLessThanOrEqual(60_000);
  const follower = await Follower.connect([itemId], { ticket });
  await eventually(async () => follower.messages.length > 0);
  follower.close();
  const again = await askLive([itemId], { ticket, headers: upgrade });
  expect(await answered(again, 401)).toMatchObject({ code: "unauthenticated" });
});

test("of two who come with one ticket at once, one is let in", async () => {
  const { ticket } = await newTicket();
  const answers = await Promise.all([1, 2, 3, 4].map(() => askLive(["x"], { ticket, headers: upgrade })));
  expect(answers.filter(({ status }) => status === 101)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
  for (const { webSocket } of answers) {
    webSocket?.accept();
    webSocket?.close(1000, "done");
  }
});

test("a ticket whose minute is over is 401, and so is one that nobody issued", async () => {
  const { ticket } = await newTicket();
  const feed = FEEDS.getByName(`feed/${ticket.split(".")[0]}`);
  await runInDurableObject(feed, (_: Feed, { storage }) =>
    storage.sql.exec(`UPDATE tickets SET expires_at = ?`, Date.now()).toArray(),
  );
  const guessed = `0.${"A".repeat(32)}`;
  for (const bad of [ticket, guessed, "9999.x", "", "null"]) {
    expect((await askLive(["x"], { ticket: bad, headers: upgrade })).status).toBe(401);
  }
});

test("tickets are kept as hashes, and deleted when they are used", async () => {
  const { ticket } = await newTicket();
  const feed = FEEDS.getByName(`feed/${ticket.split(".")[0]}`);
  const rows = () =>
    runInDurableObject(feed, (_: Feed, { storage }) =>
      JSON.stringify(storage.sql.exec(`SELECT * FROM tickets`).toArray()),
    );
  const before = await rows();
  expect(before).toContain("backend");
  expect(before).not.toContain(ticket.split(".")[1]);
  (await Follower.connect(["x"], { ticket })).close();
  expect((JSON.parse(await rows()) as unknown[]).length).toBe((JSON.parse(before) as unknown[]).length - 1);
});

test("an empty after is that of somebody who has nothing yet", async () => {
  const { itemId } = await openItem();
  const follower = await Follower.connect([itemId], { after: "" });
  await eventually(async () => follower.states.size === 1);
  expect(follower.state(itemId)?.status).toBe("open");
  follower.close();
});

test("what may not be is refused before anything is upgraded", async () => {
  const live = (query: string, headers: Record<string, string>, key: "backend" | null = "backend") =>
    call(`/v1/live?${query}`, { headers, key });
  const refusals: [Promise<Response>, number, string][] = [
    [live("items=a", upgrade, null), 401, "unauthenticated"],
    [live("", upgrade), 400, "invalid-parameter"],
    [live("items=", upgrade), 400, "invalid-parameter"],
    [live("items=a,,b", upgrade), 400, "invalid-parameter"],
    [live("items=a%20b", upgrade), 400, "invalid-parameter"],
    [live("items=a&itmes=b", upgrade), 400, "invalid-parameter"],
    [live("items=a&items=b", upgrade), 400, "invalid-parameter"],
    [live("items=a&after=no-id", upgrade), 400, "invalid-parameter"],
    [
      live(`items=${Array.from({ length: 65 }, (_, index) => `item-${index}`).join()}`, upgrade),
      422,
      "too-many",
    ],
    [live("items=a", {}), 426, "upgrade-required"],
    [live("items=a", { accept: "*/*" }), 426, "upgrade-required"],
    [live("items=a", { accept: "application/json" }), 406, "not-acceptable"],
    [live("items=a", { accept: "text/*;q=0, application/xml" }), 406, "not-acceptable"],
    [live("items=a", { ...upgrade, origin: "https://elsewhere.example" }), 403, "forbidden-origin"],
    [call("/v1/live/tickets", { method: "POST", key: null }), 401, "unauthenticated"],
  ];
  for (const [response, status, code] of refusals) {
    expect(await answered(response, status)).toMatchObject({ code, status });
  }
  expect((await live("items=a", {})).headers.get("upgrade")).toBe("websocket");
});

test("a key that is revoked ends what is open with it, also what a ticket of it opened, and nothing else", async () => {
  const body = { scopes: ["read"] };
  const created = call("/v1/keys", { key: "operator", body });
  const { id, key } = await answered<{ id: string; key: string }>(created, 201);
  const headers = { authorization: `Bearer ${key}` };
  const ticketed = await answered<Ticket>(call("/v1/live/tickets", { method: "POST", headers }), 201);
  const [byKey, byTicket, other] = [
    await Follower.connect(["x"], { headers }),
    await Follower.connect(["x"], { ticket: ticketed.ticket }),
    await Follower.connect(["x"]),
  ];
  expect((await call(`/v1/keys/${id}`, { key: "operator", method: "DELETE" })).status).toBe(204);
  const feeds = Array.from({ length: 8 }, (_, number) => FEEDS.getByName(`feed/${number}`));
  await Promise.all(feeds.map((feed) => runDurableObjectAlarm(feed)));
  await eventually(async () => byKey.closed !== undefined && byTicket.closed !== undefined);
  expect([byKey.closed?.code, byTicket.closed?.code, other.closed]).toEqual([4001, 4001, undefined]);
  other.close();
});

test("a key that is revoked opens nothing more, neither by a ticket nor where it is still kept as good", async () => {
  const created = call("/v1/keys", { key: "operator", body: { scopes: ["read"] } });
  const { id, key } = await answered<{ id: string; key: string }>(created, 201);
  const headers = { authorization: `Bearer ${key}` };
  const { ticket } = await answered<Ticket>(call("/v1/live/tickets", { method: "POST", headers }), 201);
  // As another isolate does it, of which this one learns when it reads the key again.
  await DATABASE.prepare("UPDATE api_keys SET revoked_at = 1 WHERE id = ?").bind(id).run();
  expect((await call("/v1/live/tickets", { method: "POST", headers })).status).toBe(201);
  for (const way of [{ ticket, headers: upgrade }, { headers: { ...headers, ...upgrade } }]) {
    const answer = await askLive(["x"], way);
    expect(await answered(answer, 401)).toMatchObject({ code: "unauthenticated" });
  }
});

test("a page of the gateway's own origin may connect", async () => {
  const follower = await Follower.connect(["x"], { headers: { origin: "https://gavel.test" } });
  await eventually(async () => follower.messages.length > 0);
  expect(follower.state("x")?.status).toBe("unknown");
  follower.close();
});

test("sixty-four items with the longest ids are followed, and come back by their cursor", async () => {
  const ids = Array.from({ length: 64 }, (_, index) => `${String(index).padStart(2, "0")}${"x".repeat(62)}`);
  const follower = await Follower.connect(ids);
  await eventually(async () => follower.states.size === 64);
  follower.close();
  const again = await Follower.connect(ids, { after: follower.last });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(again.messages).toHaveLength(0);
  again.close();
});

test("ping is answered", async () => {
  const follower = await Follower.connect(["x"]);
  const pong = new Promise((resolve) => {
    follower.socket.addEventListener("message", ({ data }) => data === "pong" && resolve(data));
  });
  follower.socket.send("ping");
  expect(await pong).toBe("pong");
  follower.close();
});

test("what is no acknowledgement ends the connection, with why", async () => {
  const wrong: [string | ArrayBuffer, number][] = [
    ["hello", 1008],
    ['{"ack":"1"}', 1008],
    ['{"ack":99}', 1008],
    [`{"ack":1${" ".repeat(100)}}`, 1009],
    [new ArrayBuffer(4), 1003],
  ];
  for (const [message, code] of wrong) {
    const follower = await Follower.connect(["x"]);
    await eventually(async () => follower.messages.length > 0);
    follower.socket.send(message);
    await eventually(async () => follower.closed?.code === code);
    expect(follower.closed?.reason).not.toBe("");
  }
  const follower = await Follower.connect(["x"]);
  await eventually(async () => follower.messages.length > 0);
  for (let time = 0; time < 120; time += 1) follower.acknowledge(1);
  await eventually(async () => follower.closed?.code === 1008);
});

test("who acknowledges nothing is told 8 messages and cut off, while everybody else is told everything", async () => {
  const { itemId } = await openItem();
  const slow = await Follower.connect([itemId], { acknowledges: false });
  const others = await Promise.all([1, 2, 3].map(() => Follower.connect([itemId])));
  let amount = 1000;
  const bid = async (): Promise<void> => {
    amount += 100;
    const body = newBid(itemId, { amount });
    await answered(call("/v1/bids", { body, headers: { prefer: "wait=10" } }), 200);
    await eventually(async () => others.every((other) => other.amount(itemId) === amount));
  };
  for (let round = 0; round < 12; round += 1) await bid();
  expect(slow.messages).toHaveLength(8);
  // It is late and not too late: with what it acknowledges comes the latest state, and none between.
  slow.acknowledge(4);
  await eventually(async () => slow.amount(itemId) === amount);
  expect(slow.messages).toHaveLength(9);
  await bid();
  await eventually(async () => slow.closed?.code === 4008, 20_000);
  expect(others.every((other) => other.closed === undefined)).toBe(true);
  await bid();
  for (const other of others) other.close();
});
