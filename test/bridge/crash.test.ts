import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Metadata, StoredMessage } from "./contract/harness.ts";
import { authorization, type BridgeChild, startChild } from "./child.ts";
import { makeDirectory } from "./sqlite-support.ts";

const partitions = 4;
const rounds = 15;
const writers = 6;

/** What the client knows of one request: its records' partitions, and their places once acknowledged. */
interface Entry {
  readonly id: string;
  readonly size: number;
  acknowledged: readonly Metadata[] | null;
}

async function post<T>(url: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** Produces one request after the other until the bridge is gone. */
async function write(bridge: BridgeChild, ledger: Entry[]): Promise<void> {
  for (let request = 0; ; request++) {
    const entry: Entry = { id: randomUUID(), size: request % 3 === 0 ? 400 : 8, acknowledged: null };
    ledger.push(entry);
    const records = Array.from({ length: entry.size }, (_, index) => ({
      topic: "bids",
      partition: index % partitions,
      value: `${entry.id}/${index}/${"x".repeat(index)}`,
    }));
    try {
      entry.acknowledged = await post<Metadata[]>(bridge.url, "/produce", records);
    } catch {
      return;
    }
  }
}

async function readAll(bridge: BridgeChild, partition: number): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (;;) {
    const request = { topic: "bids", partition, offset: all.length, timeout: 0 };
    const run = await post<StoredMessage[]>(bridge.url, "/fetch", request);
    if (run.length === 0) return all;
    all.push(...run);
  }
}

/** Holds the log against the ledger; answers how many requests are in without an acknowledgement. */
async function audit(bridge: BridgeChild, ledger: readonly Entry[]): Promise<number> {
  const stored = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => readAll(bridge, partition)),
  );
  const places = new Map<string, Map<number, { partition: number; offset: number }>>();
  for (const [partition, records] of stored.entries()) {
    expect(records.map(({ offset }) => offset)).toEqual([...records.keys()]);
    for (const { offset, value } of records) {
      const [id = "", index = ""] = value.split("/");
      const request = places.get(id) ?? new Map<number, { partition: number; offset: number }>();
      expect(request.has(Number(index))).toBe(false);
      places.set(id, request.set(Number(index), { partition, offset }));
    }
  }
  let unacknowledged = 0;
  for (const { id, size, acknowledged } of ledger) {
    const found = places.get(id);
    // All of a request or nothing of it.
    expect([undefined, size]).toContain(found?.size);
    if (acknowledged === null) unacknowledged += found === undefined ? 0 : 1;
    else
      expect(acknowledged.map((_, index) => found?.get(index))).toMatchObject(
        acknowledged.map(({ partition, offset }) => ({ partition, offset })),
      );
    for (let index = partitions; index < (found?.size ?? 0); index++) {
      expect(found?.get(index)?.offset).toBe((found?.get(index - partitions)?.offset ?? Number.NaN) + 1);
    }
  }
  expect(places.size).toBe(ledger.filter(({ id }) => places.has(id)).length);
  return unacknowledged;
}

test(`after ${rounds} kills with -9 under load, all that was acknowledged is there and no request is torn`, async () => {
  const directory = await makeDirectory();
  const args = [
    "--file",
    join(directory.path, "log.sqlite"),
    "--topics",
    "bids",
    "--partitions",
    `${partitions}`,
  ];
  const ledger: Entry[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = ledger.length;
    const bridge = await startChild(args);
    const writing = Promise.all(Array.from({ length: writers }, () => write(bridge, ledger)));
    // Not before some are acknowledged, and then at any moment of a commit.
    const answered = () => ledger.slice(before).filter(({ acknowledged }) => acknowledged !== null).length;
    await expect.poll(answered, { timeout: 20_000, interval: 5 }).toBeGreaterThan(writers);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    const gone = once(bridge.process, "close");
    bridge.process.kill("SIGKILL");
    await Promise.all([gone, writing]);
    const mine = ledger.slice(before);
    expect(mine.some(({ acknowledged }) => acknowledged !== null)).toBe(true);
    expect(mine.some(({ acknowledged }) => acknowledged === null)).toBe(true);
  }
  const bridge = await startChild(args);
  const unacknowledged = await audit(bridge, ledger);
  const acknowledged = ledger.filter((entry) => entry.acknowledged !== null).length;
  console.log(
    `${ledger.length} requests, ${acknowledged} acknowledged, ${unacknowledged} in the log without an acknowledgement`,
  );
  const gone = once(bridge.process, "close");
  bridge.process.kill("SIGTERM");
  await gone;
  await directory.remove();
});
