import { describe, expect, test } from "vitest";
import { answered, call, type Coordinates, newBid, newItem, openItem, readRecord } from "./client.ts";

/** Names that every object has something under, unless it was made without. */
const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

describe("names of JavaScript's own", () => {
  test.each(names)("%s is an unknown field like any other, of plain bodies and of events", async (name) => {
    const bid = JSON.stringify(newBid("lamp-1"));
    const body = `{"${name}":{"amount":5},${bid.slice(1)}`;
    const fault = { status: 422, code: "unknown-field", errors: [{ pointer: `/${name}` }] };
    expect(await answered(call("/v1/bids", { body }), 422)).toMatchObject(fault);
    const withdrawal = call("/v1/items/lamp-1/withdraw", { body: `{"${name}":{"reason":"x"}}` });
    expect(await answered(withdrawal, 422)).toMatchObject(fault);
    const event = `{"specversion":"1.0","id":"1","source":"/a","type":"gavel.bid.placed.v1","data":${body}}`;
    const headers = { "content-type": "application/cloudevents+json" };
    expect(await answered(call("/v1/events", { body: event, headers }), 422)).toMatchObject({
      errors: [{ pointer: `/data/${name}` }],
    });
    // Where CloudEvents allow it as an attribute's name, it is one.
    const extended = `{"${name}":"x",${event.replace(body, bid).slice(1)}`;
    const isAttribute = /^[a-z]+$/.test(name);
    expect((await call("/v1/events", { body: extended, headers })).status).toBe(isAttribute ? 202 : 422);
    expect(({} as Record<string, unknown>).amount).toBeUndefined();
  });

  test("are kept as an item's attributes, all the way", async () => {
    const members = names.map((name, index) => `"${name}":${index}`).join(",");
    const item = newItem();
    const body = `{"attributes":{${members}},${JSON.stringify(item).slice(1)}`;
    const told = await answered<Coordinates>(
      call("/v1/items", { body, headers: { prefer: "wait=10" } }),
      200,
    );
    expect((await readRecord(told)).value).toContain(`"attributes":{${members}}`);
    const read = await call(`/v1/items/${item.itemId}`);
    expect(await read.text()).toContain(`"attributes":{${members}}`);
  });

  test("are ids and categories like any other", async () => {
    const prefer = { prefer: "wait=10" };
    for (const name of names) {
      const item = await openItem({ itemId: name, sellerId: name, category: "constructor" });
      const bid = newBid(item.itemId, { bidderId: `${name}-2`, bidId: name });
      expect(await answered(call("/v1/bids", { body: bid, headers: prefer }), 200)).toMatchObject({
        outcome: { status: "accepted", bids: 1, highest: { bidId: name } },
      });
      expect(await answered(call(`/v1/items/${name}`), 200)).toMatchObject({
        itemId: name,
        bids: 1,
        bidders: 1,
      });
    }
    const { categories } = await answered<{ categories: object[] }>(call("/v1/stats/categories"), 200);
    const figures = { category: "constructor", open: names.length, bids: names.length };
    expect(categories).toContainEqual(expect.objectContaining(figures));
  });
});
