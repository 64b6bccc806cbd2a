import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { answered, call, type Coordinates, newBid, openItem } from "./client.ts";

/** The tail that hears what the runtime traces: vitest.config.ts. */
const { SPANS: tail } = env as unknown as { readonly SPANS: Fetcher };

interface Span {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isClosed: boolean;
}

const heard = async (): Promise<Span[]> => (await tail.fetch("http://tail/")).json();

test("where the runtime traces, an event's produce, push and apply are spans of it, and its answer is what it was", async () => {
  const { itemId } = await openItem();
  const trace = crypto.randomUUID().replaceAll("-", "");
  const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, prefer: "wait=10" };
  const bid = call("/v1/bids", { body: newBid(itemId), headers });
  const { offset, outcome, partition } = await answered<Coordinates & { outcome: unknown }>(bid, 200);
  expect(outcome).toMatchObject({ status: "accepted", bids: 1 });
  const ofTrace = async (): Promise<string[]> =>
    (await heard()).filter(({ attributes }) => attributes["trace"] === trace).map(({ name }) => name);
  await expect.poll(ofTrace, { timeout: 10_000 }).toEqual(["gavel.produce", "gavel.push"]);
  const applied = async (): Promise<Span | undefined> =>
    (await heard()).find(
      ({ name, attributes: { offset: first, partition: of, records } }) =>
        name === "gavel.apply" && of === partition && first === offset && records === 1,
    );
  await expect.poll(applied, { timeout: 10_000 }).toMatchObject({ attributes: { group: "auction" } });
  await expect.poll(async () => (await heard()).every(({ isClosed }) => isClosed)).toBe(true);
});
