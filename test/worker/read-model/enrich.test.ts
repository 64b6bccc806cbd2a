import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { createDatabaseProfiles } from "../../../src/functions/enrich/database-profiles.ts";
import { createEnrich } from "../../../src/functions/enrich/enrich.ts";
import type { Invoke } from "../../../src/functions/function.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { answered, call } from "../edge/client.ts";
import { database, someObject } from "./world.ts";

function makeEnrich(): Invoke {
  return createEnrich({
    source: createDatabaseProfiles(database, systemClock),
    policy: { maximumAgeMs: 3_600_000, stale: "reload", missing: "park" },
    clock: systemClock,
    logger: () => undefined,
  });
}

/** One function for each instance of the object, as the engine makes it. */
const functions = new WeakMap<object, Invoke>();
const object = someObject("1");

async function enrich(sellerId: string, winnerId: string): Promise<unknown> {
  const auction = completedAuction("lamp-1", {
    sellerId,
    winner: { bidderId: winnerId, bidId: "b", partition: 1, offset: 1 },
  });
  const { outcomes } = await runInDurableObject(object, (instance) => {
    const invoke = functions.get(instance) ?? makeEnrich();
    functions.set(instance, invoke);
    return invoke(invocationOf([completedRecord(auction, 1)]));
  });
  return outcomes[0];
}

const put = (id: string, displayName: string) =>
  call(`/v1/profiles/${id}`, { key: "operator", method: "PUT", body: { displayName } });
const done = (seller: string, winner: string) => ({
  status: "done",
  outputs: [{ data: { profiles: { seller: { displayName: seller }, winner: { displayName: winner } } } }],
});

test("a profile that was put is in the event; what is kept of it goes with an eviction", async () => {
  expect(await enrich("seller", "winner")).toMatchObject({ status: "retry" });
  await answered(put("seller", "Ada"), 201);
  await answered(put("winner", "Ben"), 201);
  expect(await enrich("seller", "winner")).toMatchObject(done("Ada", "Ben"));
  await answered(put("seller", "Ada Lovelace"), 200);
  expect(await enrich("seller", "winner")).toMatchObject(done("Ada", "Ben"));
  await evictDurableObject(object);
  expect(await enrich("seller", "winner")).toMatchObject(done("Ada Lovelace", "Ben"));
});
