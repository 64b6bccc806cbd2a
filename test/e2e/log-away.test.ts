import { expect, it } from "vitest";
import { expectedOf } from "./support/expected.ts";
import { freshHome, npmStart, pidOf } from "./support/home.ts";
import { type Accepted, item, type ItemAnswer, send } from "./support/http.ts";
import { readTopic } from "./support/log-reader.ts";

it("answers 503 with Retry-After while the log is away, and goes on when it returns", async () => {
  const home = freshHome();
  const { local } = await npmStart({ home });
  const bidUrl = `${local.url}/v1/bids`;
  const bid = (amount: number) => ({ itemId: "lot", bidderId: `bidder-${amount}`, amount, currency: "EUR" });
  const listed = await send<Accepted>(`${local.url}/v1/items`, local.keys.backend, item("lot", 600_000));
  const after = `${listed.body.topic}:${listed.body.partition}:${listed.body.offset}`;
  const open = await send<ItemAnswer>(`${local.url}/v1/items/lot?after=${after}`, local.keys.backend);
  expect(open.body.status).toBe("open");
  expect((await send(bidUrl, local.keys.backend, bid(200), { prefer: "wait=5" })).status).toBe(200);

  // Stopped, not killed: the supervisor would have a killed one back within moments.
  const bridge = pidOf(home, "bridge");
  process.kill(bridge, "SIGSTOP");
  try {
    const refused = await send<{ code: string; retryable: boolean }>(bidUrl, local.keys.backend, bid(300), {
      "idempotency-key": "the-same-bid",
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("content-type")).toContain("application/problem+json");
    expect(refused.body.retryable).toBe(true);
    const batch = await send(bidUrl, local.keys.backend, [bid(301), bid(302)]);
    expect(batch.status).toBe(503);
    expect(Number(batch.headers.get("retry-after"))).toBeGreaterThan(0);
    // What was applied stays readable.
    const { body } = await send<ItemAnswer>(`${local.url}/v1/items/lot`, local.keys.backend);
    expect(body.highest?.amount).toBe(200);
  } finally {
    process.kill(bridge, "SIGCONT");
  }

  const retried = await send<Accepted & { outcome: object }>(bidUrl, local.keys.backend, bid(400), {
    prefer: "wait=5",
  });
  expect(retried.status).toBe(200);
  expect(retried.body.outcome).toMatchObject({ status: "accepted", highest: { amount: 400 } });
  const later = retried.body;
  const again = await send<{ outcome: object }>(bidUrl, local.keys.backend, bid(300), {
    prefer: "wait=5",
    "idempotency-key": "the-same-bid",
  });
  expect(again.status).toBe(200);

  // Whatever the log took while nobody heard its answer is applied as well, and counted once.
  const journal = await readTopic(local.bridge, "auction.bids");
  const expected = expectedOf(journal[later.partition] ?? []).items.get("lot");
  const { body: applied } = await send<ItemAnswer>(`${local.url}/v1/items/lot`, local.keys.backend);
  expect(applied).toMatchObject({
    bids: expected?.bids,
    rejected: expected?.rejected,
    highest: expected?.highest,
  });
  expect(journal[later.partition]?.[later.offset]?.value).toContain('"amount":400');
});

it("answers 503 within the produce deadline while the bridge is dead, and is back by itself", async () => {
  const home = freshHome();
  const { local } = await npmStart({ home });
  await send(`${local.url}/v1/items`, local.keys.backend, item("lot", 600_000));
  process.kill(pidOf(home, "bridge"), "SIGKILL");
  const before = Date.now();
  const answer = await send(`${local.url}/v1/bids`, local.keys.backend, {
    itemId: "lot",
    bidderId: "ada",
    amount: 500,
    currency: "EUR",
  });
  // Back within the deadline, or a refusal in time: never silence, never another code.
  expect([202, 503]).toContain(answer.status);
  expect(Date.now() - before).toBeLessThan(2_500);
  const url = `${local.url}/readyz`;
  await expect.poll(async () => (await fetch(url)).status, { timeout: 10_000 }).toBe(200);
});
