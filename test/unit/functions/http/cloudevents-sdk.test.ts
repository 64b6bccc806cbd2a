import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { CloudEvent, type CloudEventV1, HTTP } from "cloudevents";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FunctionRecord } from "../../../../src/functions/function.ts";
import { createHttpFunction } from "../../../../src/functions/http/http-function.ts";
import type { ContentMode } from "../../../../src/functions/http/message.ts";
import { newSecret } from "../../../../src/functions/http/signature.ts";
import { functionRecord, plainRecord } from "./records.ts";

interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let received: ReceivedRequest[];

beforeEach(async () => {
  received = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

/** What a receiver that reads with the SDK makes of a call with these records. */
async function readBySdk(
  records: readonly FunctionRecord[],
  mode: ContentMode,
): Promise<CloudEventV1<unknown> | CloudEventV1<unknown>[]> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const endpoint = { url, secrets: [newSecret()], mode, allowLoopback: true };
  const invoke = createHttpFunction(endpoint, { fetch, clock: Date });
  const signal = AbortSignal.timeout(5_000);
  await invoke({ group: "notify", function: "notify", records, deadline: Date.now() + 5_000, signal });
  const [request] = received;
  if (request === undefined) throw new Error("Nothing was received");
  return HTTP.toEvent(request);
}

const extensions = { ce_tier: "3", ce_dataschema: "https://example.com/outbid.json" };
const attributes = {
  specversion: "1.0",
  id: "auction.bids/3/17/1",
  source: "/groups/auction/3",
  type: "gavel.bidder.outbid.v1",
  time: "2026-11-24T02:24:56.432Z",
  subject: "chair-1",
  partitionkey: "chair-1",
  datacontenttype: "application/json",
  dataschema: "https://example.com/outbid.json",
  tier: "3",
  gaveldelivery: "auction.notifications/3/41/notify",
  data: { itemId: "chair-1", amount: 1250 },
};

test.each(["structured", "binary"] as const)(
  "a webhook in %s mode is an event to the SDK, and a valid one",
  async (mode) => {
    const read = await readBySdk([functionRecord({ headers: extensions })], mode);
    expect(read).toMatchObject(attributes);
    expect(new CloudEvent(read as CloudEventV1<unknown>).validate()).toBe(true);
  },
);

test("a webhook with several records is a batch of events to the SDK, in their order", async () => {
  const records = [
    functionRecord({ headers: extensions }),
    functionRecord({ offset: 42 }),
    plainRecord({ offset: 43 }),
  ];
  const read = await readBySdk(records, "structured");
  expect(read).toMatchObject([
    attributes,
    { id: "auction.bids/3/17/1", gaveloffset: "42" },
    { id: "auction.notifications/3/43", type: "gavel.record.v1", source: "/topics/auction.notifications" },
  ]);
  for (const event of read as CloudEventV1<unknown>[]) expect(new CloudEvent(event).validate()).toBe(true);
});

test.each([
  ["structured", "a text", "text/plain; charset=utf-8"],
  ["binary", "<a/>", "text/xml"],
] as const)(
  "data that is no JSON reaches the SDK as the text that it is, in %s mode",
  async (mode, value, type) => {
    const read = await readBySdk([functionRecord({ value, headers: { "content-type": type } })], mode);
    expect(read).toMatchObject({ datacontenttype: type, data: value });
  },
);

test("an attribute that had to be encoded is itself once it is decoded, which the SDK leaves to its user", async () => {
  const records = [functionRecord({ headers: { ce_region: 'Euro € 😀 "100%"' } })];
  const inBinary = (await readBySdk(records, "binary")) as CloudEventV1<unknown>;
  expect(decodeURIComponent(String(inBinary["region"]))).toBe('Euro € 😀 "100%"');
  expect(inBinary["region"]).toMatch(/^[\x21-\x7e]+$/);
});
