import { describe, expect, it } from "vitest";
import type { LocalFile } from "../../local/home.ts";
import { partitionFor } from "../../src/kafka/partitioner.ts";
import { freshHome, npmStart } from "./support/home.ts";
import { item, type ItemAnswer, send } from "./support/http.ts";
import { partitionCount, readTopic } from "./support/log-reader.ts";

describe("what stands in for the platform under npm start", () => {
  it("gives every request one fixed location and takes none from a client", async () => {
    const { local } = await npmStart({ home: freshHome() });
    const forged = { "mf-cf-blob": JSON.stringify({ country: "US" }) };
    const listed = await send(`${local.url}/v1/items`, local.keys.backend, item("placed", 60_000), forged);
    expect(listed.status).toBe(202);
    const records = (await readTopic(local.bridge, "auction.items")).flat();
    expect(records).toHaveLength(1);
    expect(JSON.parse(records[0]?.value ?? "")).toMatchObject({
      edge: { country: "NL", city: "Amsterdam", colo: "AMS", credential: "backend" },
    });
  });

  it("sweeps: what another producer wrote is applied though nobody pushed it", async () => {
    const { local } = await npmStart({ home: freshHome() });
    await writePastTheGateway(local, "written-elsewhere");
    const statusOf = async (): Promise<string | undefined> => {
      const answer = await send<Partial<ItemAnswer>>(
        `${local.url}/v1/items/written-elsewhere`,
        local.keys.backend,
      );
      return answer.body.status === "open" ? answer.body.status : undefined;
    };
    await expect.poll(statusOf, { timeout: 10_000, interval: 100 }).toBe("open");
  });

  it("closes an item on time though nothing else happens", async () => {
    const { local } = await npmStart({
      home: freshHome(),
      environment: { CLOSE_GRACE_MS: "1000", PRODUCE_TIMEOUT_MS: "900" },
    });
    await send(`${local.url}/v1/items`, local.keys.backend, item("brief", 1_500));
    const read = () => send<ItemAnswer>(`${local.url}/v1/items/brief`, local.keys.backend);
    await expect.poll(async () => (await read()).body.status, { timeout: 10_000 }).toBe("unsold");
    const completed = (await readTopic(local.bridge, "auction.completed")).flat();
    expect(completed.map(({ key }) => key)).toEqual(["brief"]);
  });

  it("takes the place of a variable of wrangler.toml by one of the environment", async () => {
    const { local } = await npmStart({ home: freshHome(), environment: { TOPIC_PREFIX: "trial." } });
    const listed = await send<{ topic: string }>(
      `${local.url}/v1/items`,
      local.keys.backend,
      item("a", 60_000),
    );
    expect(listed.body.topic).toBe("trial.auction.items");
  });
});

/** Appends an item to the log as another producer of the topic would, without the gateway. */
async function writePastTheGateway({ bridge }: LocalFile, itemId: string): Promise<void> {
  const credentials = Buffer.from(`${bridge.username}:${bridge.password}`).toString("base64");
  const edge = { receivedAt: new Date().toISOString(), credential: "elsewhere" };
  const response = await fetch(`${bridge.url}/produce`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: JSON.stringify({
      topic: "auction.items",
      partition: partitionFor(itemId, partitionCount),
      key: itemId,
      value: JSON.stringify({ ...item(itemId, 60_000), edge }),
      timestamp: Date.now(),
      headers: Object.entries({
        ce_specversion: "1.0",
        ce_id: "elsewhere-1",
        ce_source: "/elsewhere",
        ce_type: "gavel.item.listed.v1",
        ce_time: new Date().toISOString(),
        ce_subject: itemId,
        "content-type": "application/json",
      }).map(([key, value]) => ({ key, value })),
    }),
  });
  expect(response.status).toBe(200);
}
