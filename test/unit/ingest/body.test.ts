import { expect, test } from "vitest";
import { readBody } from "../../../src/ingest/body.ts";

/** A request whose client goes away after the first bytes. */
function abandoned(headers: Record<string, string>): Request {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
    pull: (controller) => controller.error(new Error("Network connection lost.")),
  });
  return new Request("https://gavel.test/v1/bids", { method: "POST", body, headers, duplex: "half" });
}

test.each([
  ["with a declared length", { "content-length": "50" }],
  ["without one", {}],
])("a body that ends early is the client's fault, %s", async (_, headers) => {
  await expect(readBody(abandoned(headers), 100)).rejects.toMatchObject({
    name: "Problem",
    code: "incomplete-body",
    status: 400,
  });
});
