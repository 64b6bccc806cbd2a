import { describe, expect, it } from "vitest";
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import { lostByRebuild } from "../../../durable-objects/rebuild.ts";
import { closable } from "../../../durable-objects/storage/closable.ts";
import { LogError } from "../../../src/kafka/port.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

/** What is asked of the partition's surroundings; `start` is the journal's first offset, or a failure. */
function dependencies(start: number | LogError): PartitionDependencies {
  const log = {
    offsets: () =>
      start instanceof LogError
        ? Promise.reject(start)
        : Promise.resolve([{ topic: "auction.bids", partition: 3, offset: start }]),
  };
  return { clock: systemClock, log, partition: 3 } as unknown as PartitionDependencies;
}

describe("what a rebuild would lose", () => {
  it("is nothing while the log has the whole journal", async () => {
    expect(await lostByRebuild(dependencies(0), "auction.bids", undefined)).toBeNull();
  });

  it("is what the log has deleted of the journal", async () => {
    const why = await lostByRebuild(dependencies(17), "auction.bids", undefined);
    expect(why).toBe("The log has deleted auction.bids/3 before offset 17");
  });

  it("is everything, where the log has another topic under the journal's name", async () => {
    const why = await lostByRebuild(dependencies(0), "auction.bids", "another topic");
    expect(why).toContain("another topic");
  });

  it("is not known while the log is away, so that nothing is wiped", async () => {
    const away = new LogError("unavailable", "none", "the log is away");
    await expect(lostByRebuild(dependencies(away), "auction.bids", undefined)).rejects.toBe(away);
  });
});

describe("storage that was taken over", () => {
  it("reads and writes nothing any more, and sets no alarm", async () => {
    const alarms: number[] = [];
    const inner = { ...memoryStorage(), setAlarm: (at: number) => Promise.resolve(void alarms.push(at)) };
    const closed = closable(inner);
    const { storage } = closed;
    storage.run(`CREATE TABLE rows (id INTEGER)`);
    storage.transaction(() => storage.run(`INSERT INTO rows VALUES (1)`));
    expect(storage.all(`SELECT id FROM rows`)).toEqual([{ id: 1 }]);
    await storage.setAlarm(5);
    closed.close();
    expect(() => storage.run(`INSERT INTO rows VALUES (2)`)).toThrow("taken over");
    expect(() => storage.all(`SELECT id FROM rows`)).toThrow("taken over");
    expect(() => storage.transaction(() => undefined)).toThrow("taken over");
    await storage.setAlarm(6);
    expect(await storage.getAlarm()).toBeNull();
    expect(alarms).toEqual([5]);
    expect(inner.all(`SELECT id FROM rows`)).toEqual([{ id: 1 }]);
  });
});
