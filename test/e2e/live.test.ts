import { expect, it } from "vitest";
import { RawWebSocket } from "../../bench/harness/web-socket.ts";
import { freshHome, npmStart } from "./support/home.ts";
import { item, send } from "./support/http.ts";

const clients = 2_000;
const updatesPerSecond = 10;
const seconds = 5;

interface Message {
  readonly number: number;
  readonly id: string;
  readonly items: readonly {
    readonly highest: { readonly amount: number } | null;
    readonly sequence: number;
  }[];
}

/** A client that remembers the last that it was told. */
class Viewer {
  amount = 0;
  messages = 0;
  last = "";
  code: number | undefined;
  sequences: number[] = [];
  socket: RawWebSocket | undefined;

  async open(url: string, key: string, itemId: string): Promise<this> {
    const after = this.last === "" ? "" : `&after=${this.last}`;
    this.socket = await RawWebSocket.open(
      `${url}/v1/live?items=${itemId}${after}`,
      { authorization: `Bearer ${key}` },
      { onText: (text) => this.#take(text), onClose: (code) => (this.code = code) },
    );
    return this;
  }

  #take(text: string): void {
    const message = JSON.parse(text) as Message;
    this.messages += 1;
    this.last = message.id;
    for (const { highest, sequence } of message.items) {
      this.amount = highest?.amount ?? 0;
      this.sequences.push(sequence);
    }
    if (message.number % 4 === 1) this.socket?.send(`{"ack":${message.number}}`);
  }
}

async function eventually(done: () => boolean, patienceMs: number): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!done() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
}

it("2,000 clients of one feed, and 10 bids a second: each has the last state, and who does not read is cut off", async () => {
  const environment = { FEED_OBJECTS: "1", LIVE_ACKNOWLEDGE_MS: "8000", LOG_LEVEL: "error" };
  const { local } = await npmStart({ home: freshHome(), environment });
  const key = local.keys.backend;
  await send(`${local.url}/v1/items`, key, item("hot", 600_000), { prefer: "wait=10" });

  const viewers: Viewer[] = [];
  for (let opened = 0; opened < clients; opened += 50) {
    const more = Array.from({ length: 50 }, () => new Viewer().open(local.url, key, "hot"));
    viewers.push(...(await Promise.all(more)));
  }
  const [deaf, cut, ...others] = viewers;
  deaf?.socket?.stopReading();
  await eventually(() => others.every(({ messages }) => messages === 1), 5_000);
  expect(others.filter(({ messages }) => messages !== 1)).toHaveLength(0);

  let amount = 1_000;
  const startedAt = Date.now();
  for (let update = 0; update < updatesPerSecond * seconds; update += 1) {
    amount += 1;
    const bid = { itemId: "hot", bidderId: `bidder-${update % 5}`, amount, currency: "EUR" };
    expect((await send(`${local.url}/v1/bids`, key, bid)).status).toBe(202);
    if (update === 10) cut?.socket?.cut();
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, startedAt + (1_000 * (update + 1)) / updatesPerSecond - Date.now())),
    );
  }

  await eventually(() => others.every((viewer) => viewer.amount === amount), 10_000);
  expect(others.filter((viewer) => viewer.amount !== amount)).toHaveLength(0);
  const backwards = others.filter(({ sequences }) =>
    sequences.some((next, at) => next <= (sequences[at - 1] ?? 0)),
  );
  expect(backwards).toHaveLength(0);
  expect(others.filter(({ code }) => code !== undefined)).toHaveLength(0);

  // Whoever was cut comes back with where it was.
  const before = cut?.messages ?? 0;
  await cut?.open(local.url, key, "hot");
  await eventually(() => cut?.amount === amount, 5_000);
  expect([cut?.amount, cut?.messages]).toEqual([amount, before + 1]);
  // Who did not read was told no more than may be on its way, and that it was too slow.
  await eventually(() => Date.now() > startedAt + 10_000, 10_000);
  deaf?.socket?.readAgain();
  await eventually(() => deaf?.code !== undefined, 5_000);
  expect(deaf?.code).toBe(4008);
  expect(deaf?.messages).toBeLessThanOrEqual(9);
});
