import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { comparable, runSteps, stepsOf } from "./support/document.ts";
import { npmStart } from "./support/home.ts";
import { item, send } from "./support/http.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gavel-live-"));
  folders.push(folder);
  mkdirSync(join(folder, ".gavel"));
  return folder;
}

/** What differs from one run to the next. */
const changing = new Set(["id", "closesAt", "asOf", "position"]);

it("the document about live updates works when it is pasted, and prints what is printed there", async () => {
  const folder = newFolder();
  await npmStart({ home: join(folder, ".gavel") });
  const steps = stepsOf("docs/live.md", "By hand");
  expect(steps.filter(({ answer }) => answer !== undefined)).toHaveLength(1);
  const { answers } = runSteps(steps, folder);
  for (const [index, { answer }] of steps.entries()) {
    if (answer === undefined) continue;
    const printed = JSON.parse(answers[index] ?? "") as unknown;
    expect(comparable(printed, changing)).toEqual(comparable(answer, changing));
  }
});

interface Told {
  readonly itemId: string;
  readonly sequence: number;
  readonly highest?: { readonly amount: number } | null;
}

interface DocumentedClient {
  follow(options: {
    readonly url: string;
    readonly items: readonly string[];
    readonly newTicket: () => Promise<string>;
    readonly onItem: (item: Told) => void;
  }): { stop(): void };
}

it("the document's client follows through the gateway's end and start, and is told what it missed", async () => {
  const folder = newFolder();
  const home = join(folder, ".gavel");
  const [, code = ""] = /^```js\n([^]*?)^```$/m.exec(readFileSync("docs/live.md", "utf8")) ?? [];
  const file = join(folder, "follow.mjs");
  writeFileSync(file, code);
  const client = (await import(file)) as DocumentedClient;

  const first = await npmStart({ home });
  const { url, keys } = first.local;
  const place = async (amount: number): Promise<void> => {
    const bid = { itemId: "lot", bidderId: "ada", amount, currency: "EUR" };
    expect((await send(`${url}/v1/bids`, keys.backend, bid, { prefer: "wait=10" })).status).toBe(200);
  };
  await send(`${url}/v1/items`, keys.backend, item("lot", 600_000), { prefer: "wait=10" });

  const told: Told[] = [];
  const newTicket = async (): Promise<string> => {
    const { body } = await send<{ ticket: string }>(`${url}/v1/live/tickets`, keys.client, {});
    return body.ticket;
  };
  const following = client.follow({
    url,
    items: ["lot", "later"],
    newTicket,
    onItem: (state) => told.push(state),
  });
  const isTold = async (itemId: string, amount: number | undefined): Promise<void> => {
    const end = Date.now() + 30_000;
    for (;;) {
      const last = told.findLast((state) => state.itemId === itemId);
      if (last !== undefined && last.highest?.amount === amount) return;
      if (Date.now() > end) throw new Error(`${itemId} was not told: ${JSON.stringify(told)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await isTold("later", undefined);
  for (let amount = 100; amount <= 120; amount += 1) await place(amount);
  await isTold("lot", 120);

  await first.stop();
  await npmStart({ home, environment: { PORT: new URL(url).port } });
  await place(200);
  await isTold("lot", 200);
  following.stop();
  // What it had before the end was not told again.
  const sequences = told.filter(({ itemId }) => itemId === "lot").map(({ sequence }) => sequence);
  expect(sequences).toEqual([...new Set(sequences)].toSorted((left, right) => left - right));
  expect(told.filter(({ itemId }) => itemId === "later")).toHaveLength(1);
});
