import { expect, test } from "vitest";
import { checkDeliveries } from "../support/receiver/checker.ts";
import { newEndpoint } from "../worker/functions/receiver.ts";
import { append, notification, subscribe, unsubscribe, until, woken } from "./world.ts";

const partition = 6;
const slowKey = "slow";
const records = 2_500;
/** Every so many of them is of the slow key. */
const slowEvery = 10;
const others = records - records / slowEvery;
/** An endpoint's time for a call is what bounds the rate, not this machine. */
const afterMs = 150;

/**
 * Deliveries a second of all keys but one, from the first call to the last answer.
 * @param slowMs what a call of the slow key takes; undefined: its records are not there at all
 */
async function rateOfOthers(slowMs?: number): Promise<number> {
  const endpoint = await newEndpoint();
  const ok = { kind: "status", status: 200, afterMs } as const;
  await endpoint.script({
    kind: "by-key",
    answers: slowMs === undefined ? {} : { [slowKey]: { ...ok, afterMs: slowMs } },
    otherwise: ok,
  });
  const { id, secret } = await subscribe(endpoint.url);
  await endpoint.verify([secret]);
  const keys = Array.from({ length: records }, (_, index) =>
    index % slowEvery === 0 ? slowKey : `key-${index % 97}`,
  );
  const present = slowMs === undefined ? keys.filter((key) => key !== slowKey) : keys;
  const appended = await append(present.map((key) => notification(partition, key)));
  void woken(partition);
  const ofOthers = async () =>
    (await endpoint.received()).calls.filter(({ deliveries }) => deliveries[0]?.key !== slowKey);
  await until("all others are delivered", async () => (await ofOthers()).length >= others, 60_000, 250);
  await until(
    "they are answered",
    async () => (await ofOthers()).every(({ ended }) => ended !== undefined),
    5_000,
  );
  const calls = await ofOthers();
  await unsubscribe(id);
  const expected = appended.filter(({ key }) => key !== slowKey);
  expect(checkDeliveries(calls, { records: expected })).toEqual([]);
  const ends = calls.map(({ endedAt = 0 }) => endedAt);
  return (1_000 * others) / (Math.max(...ends) - Math.min(...calls.map(({ beganAt }) => beganAt)));
}

/**
 * Beside no slow key at all: at the others' pace its records would take a share of the calls as well,
 * and the rate that is compared with would be the lower for it.
 *
 * What holds it is the budget of parked records: as many of the slow key's records may wait, each in a
 * row of its own. Behind a longer backlog the position stops, says so, and the other keys wait with it,
 * until a tenth of the budget is free.
 */
test("a slow key takes no more than a tenth from the rate of the other keys of its partition", async () => {
  // Others on this machine come and go: of two runs each, the better one tells.
  const [plain, slow]: [number[], number[]] = [[], []];
  for (let round = 0; round < 2; round += 1) {
    plain.push(await rateOfOthers());
    slow.push(await rateOfOthers(900));
  }
  console.log("deliveries a second without and with a slow key", plain, slow);
  expect(Math.max(...slow) / Math.max(...plain)).toBeGreaterThan(0.9);
});
