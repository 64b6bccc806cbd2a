import { connect } from "node:net";
import { expect, it } from "vitest";
import { freshHome, npmStart } from "./support/home.ts";

const timeoutMs = 500;

/** What a request looks like that says how its body is framed, and a byte of that body. */
const framings = {
  "a declared length": { header: "Content-Length: 1000", byte: " " },
  chunks: { header: "Transfer-Encoding: chunked", byte: "1\r\n \r\n" },
} as const;

/** What came back on a connection until the other side ended it, and when that was, in milliseconds. */
async function converse(
  url: string,
  key: string,
  { header, byte }: (typeof framings)[keyof typeof framings],
  trickles: boolean,
): Promise<{ readonly text: string; readonly took: number }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const started = performance.now();
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  // A connection that ends while it is written to says so.
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(
    `POST /v1/bids HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${key}\r\n` +
      `Content-Type: application/json\r\n${header}\r\n\r\n`,
  );
  const trickle = setInterval(() => trickles && socket.writable && socket.write(byte), 50);
  await closed;
  clearInterval(trickle);
  return { text, took: performance.now() - started };
}

it("a body that is not whole when its time is up is 408, and its connection ends, silent or trickling", async () => {
  const environment = { BODY_TIMEOUT_MS: String(timeoutMs) };
  const { url, keys } = (await npmStart({ home: freshHome(), environment })).local;
  const conversations = Object.values(framings).flatMap((framing) =>
    [false, true].map((trickles) => converse(url, keys.backend, framing, trickles)),
  );
  for (const { text, took } of await Promise.all(conversations)) {
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toMatch(/^connection: close\r$/im);
    expect(text).toContain('"code":"request-timeout"');
    expect(took).toBeGreaterThan(timeoutMs - 50);
    expect(took).toBeLessThan(timeoutMs + 3_000);
  }
});
