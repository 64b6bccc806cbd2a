import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Feed } from "../../../durable-objects/feed.ts";
import { answered, call, newBid, openItem } from "../edge/client.ts";
import { eventually } from "../partition/world.ts";
import { askLive, type FollowOptions, type Message } from "./follower.ts";

const { FEEDS } = env as unknown as { FEEDS: DurableObjectNamespace<Feed> };

interface ServerSentEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

/** Reads a stream as an `EventSource` does. Source: HTML, "Server-sent events", 9.2.6. */
class Events {
  readonly events: ServerSentEvent[] = [];
  retry = "";
  isOver = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    // Reading ends with an error where the test cancels it.
    void this.#read().catch(() => (this.isOver = true));
  }

  static async open(items: readonly string[], options: FollowOptions = {}): Promise<Events> {
    const response = await askLive(items, {
      ...options,
      headers: { accept: "text/event-stream", ...options.headers },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    if (response.body === null) throw new Error("no stream");
    return new Events(response.body as ReadableStream<Uint8Array>);
  }

  async #read(): Promise<void> {
    let text = "";
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
    this.isOver = true;
  }

  #take(block: string): void {
    const lines = block.split("\n").filter((line) => !line.startsWith(":"));
    const fields = Object.fromEntries(
      lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
    );
    if (fields["retry"] !== undefined) this.retry = fields["retry"];
    if (fields["data"] !== undefined) this.events.push(fields);
  }

  get messages(): Message[] {
    return this.events.map(({ data = "" }) => JSON.parse(data) as Message);
  }

  amountOf(itemId: string): number | undefined {
    const states = this.messages.flatMap(({ items }) => items).filter((item) => item.itemId === itemId);
    const last = states.at(-1);
    return last === undefined || last.status === "unknown" ? undefined : last.highest?.amount;
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }
}

async function bid(itemId: string, amount: number): Promise<void> {
  const body = newBid(itemId, { amount });
  await answered(call("/v1/bids", { body, headers: { prefer: "wait=10" } }), 200);
}

test("server-sent events tell the same messages, each with its id, and say when to come back", async () => {
  const { itemId } = await openItem();
  const events = await Events.open([itemId]);
  await eventually(async () => events.events.length > 0);
  expect(events.retry).toBe("2000");
  await bid(itemId, 1500);
  await eventually(async () => events.amountOf(itemId) === 1500);
  for (const { id, event, data = "" } of events.events) {
    expect(event).toBe("items");
    expect(id).toBe((JSON.parse(data) as Message).id);
  }
  await events.close();
});

test("Last-Event-ID resumes: what changed meanwhile is told, and nothing else", async () => {
  const { itemId } = await openItem();
  const other = await openItem();
  const before = await Events.open([itemId, other.itemId]);
  await eventually(async () => before.events.length > 0);
  await before.close();
  await bid(itemId, 1700);
  const id = before.events.at(-1)?.id ?? "";
  const after = await Events.open([itemId, other.itemId], { headers: { "last-event-id": id } });
  await eventually(async () => after.amountOf(itemId) === 1700);
  expect(after.messages.flatMap(({ items }) => items)).toHaveLength(1);
  await after.close();
});

test("a stream that is read goes on for more messages than may be on their way at once", async () => {
  const { itemId } = await openItem();
  const events = await Events.open([itemId]);
  for (let round = 1; round <= 20; round += 1) {
    await bid(itemId, 1000 + round * 100);
    await eventually(async () => events.amountOf(itemId) === 1000 + round * 100);
  }
  await events.close();
});

test("a stream opens with a ticket, as an EventSource does", async () => {
  const { itemId } = await openItem();
  const { ticket } = await answered<{ ticket: string }>(call("/v1/live/tickets", { method: "POST" }), 201);
  const events = await Events.open([itemId], { ticket });
  await eventually(async () => events.events.length > 0);
  await events.close();
});

test("a client that goes is gone for its feed at once", async () => {
  const { itemId } = await openItem();
  const { ticket } = await answered<{ ticket: string }>(call("/v1/live/tickets", { method: "POST" }), 201);
  const feed = FEEDS.getByName(`feed/${ticket.split(".")[0]}`);
  const sockets = () =>
    runInDurableObject(feed, (_: Feed, state) => {
      return state.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    });
  const before = await sockets();
  const events = await Events.open([itemId], { ticket });
  await eventually(async () => events.events.length > 0);
  expect(await sockets()).toBe(before + 1);
  await events.close();
  await eventually(async () => (await sockets()) === before);
});

test("a stream that is not read is cut off: it ends, and its feed waits for it no longer", async () => {
  const { itemId } = await openItem();
  const response = await askLive([itemId], { headers: { accept: "text/event-stream" } });
  for (let round = 1; round <= 3; round += 1) await bid(itemId, 1000 + round * 100);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const text = await Promise.race([
    response.text(),
    new Promise((resolve) => setTimeout(() => resolve("still open"), 5_000)),
  ]);
  expect(text).not.toBe("still open");
});
