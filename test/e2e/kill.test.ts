import { beforeAll, describe, expect, it } from "vitest";
import { violationsOf } from "../support/history/checker.ts";
import { source } from "../support/history/history.ts";
import { type Expected, expectedOf } from "./support/expected.ts";
import { freshHome } from "./support/home.ts";
import { type KillRun, runKills, victims } from "./support/kill-run.ts";
import { header, type LogRecord, withoutRepetitions } from "./support/log-reader.ts";

const killsOfEach = 20;

describe("kill -9 under load, 20 times each of the bridge, the gateway, the runtime and everything", () => {
  let run: KillRun;
  let expected: Expected[];

  beforeAll(async () => {
    run = await runKills(freshHome(), killsOfEach);
    expected = run.log.journal.map(expectedOf);
    const { acknowledged, failures } = run.history;
    console.log("kills", run.kills, "slowest recovery, ms", run.slowestRecoveryMs);
    console.log("acknowledged", acknowledged.length, "failures seen by clients", failures);
  });

  it("hit clients at work, and the system came back each time", () => {
    for (const victim of victims) expect(run.kills[victim]).toBe(killsOfEach);
    expect(run.history.failures.noAnswer).toBeGreaterThan(0);
    expect(run.history.attempts.filter(({ told }) => told.kind === "refused")).toEqual([]);
  });

  it("every acknowledged bid is in the log, at exactly the offset that was returned", () => {
    expect(run.history.acknowledged.length).toBeGreaterThan(victims.length * killsOfEach);
    const wrong = run.history.acknowledged.filter(({ event, told }) => {
      const record = run.log.journal[told.partition]?.find(({ offset }) => offset === told.offset);
      if (record === undefined || told.id !== event.id) return true;
      const same = header(record, "ce_id") === event.id && header(record, "ce_source") === source;
      return !same || record.key !== event.data.itemId;
    });
    expect(wrong).toEqual([]);
  });

  it("the system keeps its word, as the checker of histories sees it", () => {
    const { attempts, disturbances } = run.history;
    const { log, items } = run;
    expect(violationsOf({ attempts, disturbances, log, items }).slice(0, 20)).toEqual([]);
  });

  it("the log has no gap and no offset twice", () => {
    for (const topic of [run.log.journal, run.log.completed, run.log.notifications]) {
      for (const partition of topic) {
        expect(partition.map(({ offset }) => offset)).toEqual(partition.map((_, index) => index));
      }
    }
  });

  it("every item is what the log alone says, each bid counted once", () => {
    const items = new Map(expected.flatMap(({ items: each }) => [...each]));
    expect(run.items.size).toBe(items.size);
    for (const [itemId, item] of items) {
      const { bids, rejected, highest } = run.items.get(itemId) ?? {};
      expect({ itemId, bids, rejected, highest }).toMatchObject({
        itemId,
        bids: item.bids,
        rejected: item.rejected,
        highest: item.highest,
      });
    }
  });

  it("an item that ended between kills completed once, at its highest bid", () => {
    const completed = run.log.completed.flatMap(withoutRepetitions);
    expect(completed.map(({ key }) => key).toSorted()).toEqual([...run.ended].toSorted());
    const items = new Map(expected.flatMap(({ items: each }) => [...each]));
    for (const { key, value } of completed) {
      const { price } = JSON.parse(value) as { price?: number };
      expect({ key, price }).toEqual({ key, price: items.get(key)?.highest?.amount });
    }
  });

  it("outputs carry a dense sequence, and each bid told its bidder once", () => {
    for (const [partition, records] of run.log.notifications.entries()) {
      const once = withoutRepetitions(records);
      expect(once.map((record) => header(record, "gavel_sequence"))).toEqual(
        once.map((_, index) => String(index + 1)),
      );
      expect(causesOf(once, "gavel.bidder.rejected.v1")).toEqual([
        ...(expected[partition]?.rejections ?? []),
      ]);
      expect(causesOf(once, "gavel.bidder.outbid.v1")).toEqual([...(expected[partition]?.outbids ?? [])]);
    }
  });
});

/** The records that caused the outputs of a type: an output's id is its cause's place and a number. */
function causesOf(records: readonly LogRecord[], type: string): string[] {
  return records
    .filter((record) => header(record, "ce_type") === type)
    .map((record) => header(record, "ce_id").replace(/\/\d+$/, ""));
}
