import { expect, it } from "vitest";
import { freshHome, npmStart } from "./support/home.ts";
import { type BatchAnswer, item, type ItemAnswer, send } from "./support/http.ts";
import { header, readTopic } from "./support/log-reader.ts";

it("takes a batch of 1,000 bids: each is at its offset, in the order of the body, and counted", async () => {
  const { local } = await npmStart({ home: freshHome() });
  const itemIds = Array.from({ length: 50 }, (_, index) => `lot-${index}`);
  const listed = await send<BatchAnswer>(
    `${local.url}/v1/items`,
    local.keys.backend,
    itemIds.map((itemId) => item(itemId, 600_000)),
  );
  expect(listed.status).toBe(202);

  const bids = Array.from({ length: 1_000 }, (_, index) => ({
    itemId: itemIds[index % itemIds.length] ?? "",
    bidderId: `bidder-${index % 7}`,
    bidId: `bid-${index}`,
    amount: 100 + index,
    currency: "EUR",
  }));
  const placed = await send<BatchAnswer>(`${local.url}/v1/bids`, local.keys.backend, bids);
  expect(placed.status).toBe(202);
  expect(placed.body).toMatchObject({ accepted: 1_000, rejected: 0 });

  const journal = await readTopic(local.bridge, "auction.bids");
  for (const [index, { partition, offset, id }] of placed.body.results.entries()) {
    const record = journal[partition]?.[offset];
    expect(record && header(record, "ce_id")).toBe(id);
    expect(JSON.parse(record?.value ?? "")).toMatchObject({ bidId: `bid-${index}` });
  }
  for (const itemId of itemIds) {
    const offsets = placed.body.results.filter((_, index) => bids[index]?.itemId === itemId);
    expect(offsets).toEqual(offsets.toSorted((one, other) => one.offset - other.offset));
    const last = offsets.at(-1);
    const after = encodeURIComponent(`${last?.topic}:${last?.partition}:${last?.offset}`);
    const { body } = await send<ItemAnswer>(
      `${local.url}/v1/items/${itemId}?after=${after}`,
      local.keys.backend,
    );
    // Amounts rise with the index, so every bid beats the one before on its item.
    expect(body).toMatchObject({ bids: 20, rejected: 0, highest: { bidId: `bid-${last?.index}` } });
  }
});

it("refuses a batch of 1,001", async () => {
  const { local } = await npmStart({ home: freshHome() });
  const bid = { itemId: "a", bidderId: "b", amount: 1, currency: "EUR" };
  const tooMany = Array.from({ length: 1_001 }, () => bid);
  expect((await send(`${local.url}/v1/bids`, local.keys.backend, tooMany)).status).toBe(413);
});
