import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readBody } from "../../../src/ingest/body.ts";

const limits = { maxBodyBytes: 100, bodyTimeoutMs: 5_000 };

function post(
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
): Request {
  return new Request("https://gavel.test/v1/bids", { method: "POST", body, headers, duplex: "half" });
}

/** A request whose client goes away after the first bytes. */
function abandoned(headers: Record<string, string>): Request {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
    pull: (controller) => controller.error(new Error("Network connection lost.")),
  });
  return post(body, headers);
}

test.each([
  ["with a declared length", { "content-length": "50" }],
  ["without one", {}],
])("a body that ends early is the client's fault, %s", async (_, headers) => {
  await expect(readBody(abandoned(headers), limits)).rejects.toMatchObject({
    name: "Problem",
    code: "incomplete-body",
    status: 400,
  });
});

describe("a body that does not arrive in time", () => {
  /** Sends a byte every 20 ms, so that no single wait is long. */
  function trickle(told: { cancelled: boolean }): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (!told.cancelled) controller.enqueue(Uint8Array.of(0x20));
      },
      cancel() {
        told.cancelled = true;
      },
    });
  }

  test.each([
    ["with a declared length", { "content-length": "90" }],
    ["without one", {}],
    ["compressed", { "content-encoding": "gzip" }],
  ])("is a time-out that may be tried again, however steadily it trickles in, %s", async (_, headers) => {
    const told = { cancelled: false };
    const started = performance.now();
    const reading = readBody(post(trickle(told), headers), { ...limits, bodyTimeoutMs: 150 });
    await expect(reading).rejects.toMatchObject({ code: "request-timeout", status: 408 });
    expect(performance.now() - started).toBeLessThan(1_000);
    // A declared body is read by the runtime, which ends it with the request.
    if (!("content-length" in headers)) expect(told.cancelled).toBe(true);
  });
});

describe("a compressed body", () => {
  const flipped = (bytes: Uint8Array, index: number) => bytes.with(index, (bytes[index] ?? 0) ^ 1);
  const zipped = (bytes: Uint8Array<ArrayBuffer> | string, encoding = "gzip") =>
    post(gzipSync(bytes), { "content-encoding": encoding });

  test.each(["gzip", "x-gzip", "GZIP", " gzip "])("is expanded, its encoding called %j", async (encoding) => {
    expect(new TextDecoder().decode(await readBody(zipped('{"a":1}', encoding), limits))).toBe('{"a":1}');
  });

  test("is measured once it is expanded, to the byte", async () => {
    expect(await readBody(zipped(new Uint8Array(100)), limits)).toHaveLength(100);
    await expect(readBody(zipped(new Uint8Array(101)), limits)).rejects.toMatchObject({
      code: "body-too-large",
    });
    // What does not get smaller is still taken up to the limit.
    const noise = crypto.getRandomValues(new Uint8Array(100));
    expect(await readBody(zipped(noise), limits)).toEqual(noise);
  });

  test("that expands without an end is expanded to the limit and no further", async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    const started = performance.now();
    await expect(
      readBody(post(bomb, { "content-encoding": "gzip" }), { ...limits, maxBodyBytes: 1_000_000 }),
    ).rejects.toMatchObject({ code: "body-too-large", status: 413 });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test.each([
    ["cut short", (whole: Buffer) => whole.subarray(0, -9)],
    ["without its checksum", (whole: Buffer) => whole.subarray(0, -8)],
    ["with a bit changed", (whole: Buffer) => flipped(whole, 14)],
    ["with another checksum", (whole: Buffer) => flipped(whole, whole.length - 6)],
    ["with something behind its end", (whole: Buffer) => Buffer.concat([whole, Buffer.from("more")])],
    ["with a second member", (whole: Buffer) => Buffer.concat([whole, whole])],
    ["that is none", () => Buffer.from('{"a":1}')],
    ["of no bytes", () => Buffer.alloc(0)],
  ])("%s is malformed", async (_, change) => {
    const body = new Uint8Array(change(gzipSync('{"amount":100,"itemId":"lamp-1"}')));
    const reading = readBody(post(body, { "content-encoding": "gzip" }), limits);
    await expect(reading).rejects.toMatchObject({ code: "malformed-encoding", status: 400 });
  });

  test.each(["br", "deflate", "gzip, gzip", "zstd", "compress", "identity, gzip"])(
    "in %s is refused, and the answer says which encodings are taken",
    async (encoding) => {
      await expect(readBody(zipped("{}", encoding), limits)).rejects.toMatchObject({
        status: 415,
        code: "unsupported-media-type",
        headers: { "accept-encoding": "gzip, identity" },
      });
    },
  );
});
