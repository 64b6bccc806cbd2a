import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../client/client.ts";
import type * as Module from "../../client/index.ts";
import { freshHome, npmStart } from "../e2e/support/home.ts";
import { startBrowser } from "../support/browser.ts";
import { ClientProject } from "../support/client-project.ts";

const project = new ClientProject();
let browser: Browser;

/** Two origins that are not the gateway's: one that it lists, and one that it does not. */
let listed: Server;
let stranger: Server;

beforeAll(async () => {
  project.install();
  [browser, listed, stranger] = await Promise.all([startBrowser(), serve(), serve()]);
}, 120_000);

afterAll(async () => {
  await browser.close();
  listed.close();
  stranger.close();
  project.remove();
});

const appPage = `<!doctype html><title>An app</title>
<script type="module">import * as gavel from "/gavel.js"; globalThis.gavel = gavel;</script>`;

/** An app's own server: a page, and the client's module as it is published. */
function serve(): Promise<Server> {
  const server = createServer(({ url }, response) => {
    const isModule = url === "/gavel.js";
    response.setHeader("content-type", isModule ? "text/javascript" : "text/html");
    response.end(isModule ? readFileSync(project.module) : appPage);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Given {
  readonly url: string;
  readonly credential: string;
}

/** What runs in the page: lists an item, bids, and tells what it was told. */
async function inPage({ url, credential }: Given) {
  const { createClient, GavelProblem } = (globalThis as unknown as { gavel: typeof Module }).gavel;
  const gavel: Client = createClient({ url, credential, attempts: 2 });
  const itemId = `lamp-${Date.now()}`;
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const item = {
    itemId,
    sellerId: "ada",
    title: "A lamp",
    category: "lamps",
    currency: "EUR",
    startingPrice: 1,
    endsAt,
  };
  try {
    await gavel.listItem(item, { waitSeconds: 10 });
    const bid = { itemId, bidderId: "lin", amount: 5, currency: "EUR" };
    const { outcome } = await gavel.placeBid(bid, { waitSeconds: 10 });
    // Over a WebSocket with a ticket: a page can send no credential with one.
    const amounts: number[] = [];
    for await (const state of gavel.follow([itemId], { transport: "websocket" })) {
      const amount = state.status === "unknown" ? 0 : (state.highest?.amount ?? 0);
      amounts.push(amount);
      if (amount === 7) break;
      await gavel.placeBid({ ...bid, amount: 7 });
    }
    const refused = await gavel.placeBid({ ...bid, amount: 0 }).catch((error: unknown) => error);
    return {
      outcome: outcome?.status,
      bidders: (await gavel.item(itemId)).bidders,
      amounts,
      code: refused instanceof GavelProblem ? refused.code : "none",
      hasRequestId: refused instanceof GavelProblem && refused.requestId !== undefined,
    };
  } catch (error) {
    return { failed: error instanceof GavelProblem ? error.code : String(error) };
  }
}

describe("the built client in a page of another origin, in a real browser", () => {
  it("lists, bids, is told the outcome, follows and reads, where the gateway lists the origin; and nothing where it does not", async () => {
    const environment = { CORS_ORIGINS: originOf(listed) };
    const { local } = await npmStart({ home: freshHome(), environment });
    const given = { url: local.url, credential: local.keys.backend };
    const page = await browser.newPage();
    await page.goto(originOf(listed));
    expect(await page.evaluate(inPage, given)).toEqual({
      outcome: "accepted",
      bidders: 1,
      amounts: [5, 7],
      code: "too-small",
      hasRequestId: true,
    });
    await page.goto(originOf(stranger));
    expect(await page.evaluate(inPage, given)).toEqual({ failed: "network-failure" });
  });
});
