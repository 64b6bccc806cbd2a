import { describe, expect, test } from "vitest";
import { answered, call, type Coordinates, newBid, newItem, readRecord } from "./client.ts";

async function gzip(bytes: Uint8Array<ArrayBuffer> | string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const flipped = (bytes: Uint8Array, index: number) => bytes.with(index, (bytes[index] ?? 0) ^ 1);

const zipped = (body: Uint8Array, more: Record<string, string> = {}) =>
  call("/v1/bids", { body, headers: { "content-encoding": "gzip", ...more } });

/** The same without a declared length. */
const streamed = (bytes: Uint8Array) =>
  call("/v1/bids", { body: new Blob([bytes]).stream(), headers: { "content-encoding": "gzip" } });

describe("a compressed body", () => {
  test("is taken as what it was before, with a declared length and without", async () => {
    const { itemId } = newItem();
    const body = await gzip(JSON.stringify(newBid(itemId, { amount: 4711 })));
    for (const response of [zipped(body), streamed(body), zipped(body, { "content-encoding": "X-GZIP" })]) {
      const told = await answered<Coordinates>(response, 202);
      expect(JSON.parse((await readRecord(told)).value)).toMatchObject({ itemId, amount: 4711 });
    }
  });

  test("of a thousand events is one batch, in every route that takes one", async () => {
    const body = await gzip(
      JSON.stringify(Array.from({ length: 1_000 }, (_, index) => newBid(`zip-${index % 9}`))),
    );
    expect(body.length).toBeLessThan(10_000);
    expect(await answered(zipped(body), 202)).toMatchObject({ accepted: 1_000 });
    const lines = await gzip(`${JSON.stringify(newBid("zip-1"))}\n`.repeat(3));
    const ndjson = { "content-encoding": "gzip", "content-type": "application/x-ndjson" };
    expect(await answered(call("/v1/bids", { body: lines, headers: ndjson }), 202)).toMatchObject({
      accepted: 3,
    });
    const withdrawal = { body: await gzip('{"reason":"broken"}'), headers: { "content-encoding": "gzip" } };
    await answered(call("/v1/items/zip-1/withdraw", withdrawal), 202);
  });

  test("is measured by what it expands to", async () => {
    const limit = 1_048_576;
    const { itemId } = newItem();
    const bid = JSON.stringify(newBid(itemId));
    await answered(zipped(await gzip(bid.padEnd(limit))), 202);
    expect(await answered(zipped(await gzip(bid.padEnd(limit + 1))), 413)).toMatchObject({
      code: "body-too-large",
    });
  });

  test("that expands to many times the limit is not looked at beyond it", async () => {
    const bomb = await gzip(new Uint8Array(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    // Who expands it further than to the limit finds that it is none.
    bomb.fill(0xff, 20_000);
    for (const send of [zipped, streamed])
      expect(await answered(send(bomb), 413)).toMatchObject({ code: "body-too-large" });
  });

  test.each([
    ["cut short", (whole: Uint8Array) => whole.subarray(0, -9)],
    ["without its checksum", (whole: Uint8Array) => whole.subarray(0, -8)],
    ["with a bit changed", (whole: Uint8Array) => flipped(whole, 14)],
    ["with another checksum", (whole: Uint8Array) => flipped(whole, whole.length - 6)],
    ["with something behind its end", (whole: Uint8Array) => new Uint8Array([...whole, 1, 2, 3])],
    ["with a second member", (whole: Uint8Array) => new Uint8Array([...whole, ...whole])],
    ["that is none", () => new TextEncoder().encode('{"a":1}')],
  ])("%s is 400, and nothing of it is taken", async (_, change) => {
    const body = change(await gzip(JSON.stringify(newBid("lamp-1"))));
    for (const send of [zipped, streamed])
      expect(await answered(send(body), 400)).toMatchObject({ code: "malformed-encoding" });
  });

  test.each(["br", "deflate", "gzip, gzip"])("in %s is 415, which tells what is taken", async (encoding) => {
    const response = await zipped(new TextEncoder().encode("{}"), { "content-encoding": encoding });
    expect(response.headers.get("accept-encoding")).toBe("gzip, identity");
    expect(await answered(response, 415)).toMatchObject({ code: "unsupported-media-type" });
  });
});
