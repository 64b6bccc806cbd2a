import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConsumeRequest } from "../../bridge/groups.ts";
import { InstanceGroups } from "../../bridge/groups/instances.ts";
import { type EventLog, jsonSlice, LogFailure, type ReadResult } from "../../bridge/log.ts";
import { CommittedOffsets } from "../../bridge/sqlite/committed-offsets.ts";
import { SqliteCoordinator } from "../../bridge/sqlite/group-coordinator.ts";
import { openDatabase } from "../../bridge/sqlite/schema.ts";
import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import { makeDirectory } from "./sqlite-support.ts";

const settings = {
  autoCommit: false,
  autoCommitIntervalMs: 5_000,
  offsetReset: "earliest",
  sessionTimeoutMs: 120_000,
} as const;

describe("consumer groups", () => {
  let directory: { path: string; remove: () => Promise<void> };
  let file: string;
  let log: SqliteLog;
  beforeEach(async () => {
    directory = await makeDirectory();
    file = join(directory.path, "log.sqlite");
    log = new SqliteLog({ file, topics: { bids: 2 } });
  });
  afterEach(async () => {
    await log.close();
    await directory.remove();
  });

  const request = (instance: string, more: Partial<ConsumeRequest> = {}): ConsumeRequest => ({
    group: "g",
    instance,
    topics: ["bids"],
    settings,
    maxBytes: 10_000,
    timeoutMs: 0,
    ...more,
  });
  const append = (partition: number, text: string) =>
    log.append([
      { topic: "bids", partition, timestamp: 1, key: null, value: jsonSlice(text), headers: jsonSlice([]) },
    ]);
  const texts = ({ records }: ReadResult) =>
    (JSON.parse(`[${Buffer.concat(records).toString().slice(0, -2)}]`) as { value: string }[]).map(
      ({ value }) => value,
    );
  /** Groups over this log, as it answers but for what `changed` says, with a coordinator in a file of their own. */
  const over = async (
    changed: Partial<EventLog>,
    use: (groups: InstanceGroups) => Promise<void>,
    maxInstances?: number,
  ) => {
    const database = openDatabase(join(directory.path, "groups.sqlite"), Infinity);
    const coordinator = new SqliteCoordinator(new CommittedOffsets(database), () => new Map([["bids", 2]]));
    const same: Pick<EventLog, "read" | "offsets" | "topics"> = {
      read: (wanted) => log.read(wanted),
      offsets: (at, partitions) => log.offsets(at, partitions),
      topics: () => log.topics(),
    };
    const groups = new InstanceGroups({ ...same, ...changed }, coordinator, maxInstances);
    await use(groups);
    await groups.close();
    database.close();
  };

  test("outlive the process: a group's offsets and what was handed out are in the file", async () => {
    await append(0, "0");
    await append(1, "1");
    const { read } = await log.groups.consume(request("a"));
    expect(texts(read).sort()).toEqual(["0", "1"]);
    const offsets = [{ topic: "bids", partition: 1, offset: 1 }];
    await log.groups.commit({ group: "g", instance: "a", offsets, authorize: () => undefined });
    await log.close();
    log = new SqliteLog({ file, topics: { bids: 2 } });
    const partitions = [0, 1].map((partition) => ({ topic: "bids", partition }));
    expect((await log.groups.committed("g", partitions)).map(({ offset }) => offset)).toEqual([0, 1]);
    expect((await log.groups.consume(request("a"))).read.records).toEqual([]);
    await log.groups.remove({ group: "g", instance: "a", authorize: () => undefined });
    expect(texts((await log.groups.consume(request("b"))).read)).toEqual(["0"]);
  });

  test("refuse a further instance beyond their bound, and take it when another one has left", async () => {
    await over(
      {},
      async (groups) => {
        await groups.consume(request("a"));
        await expect(groups.consume(request("b"))).rejects.toMatchObject({ code: "unavailable" });
        await groups.remove({ group: "g", instance: "a", authorize: () => undefined });
        expect((await groups.consume(request("b"))).read.records).toEqual([]);
      },
      1,
    );
  });

  test("a new call of an instance ends the wait of the one before", async () => {
    const waiting = log.groups.consume(request("a", { timeoutMs: 3_600_000 }));
    await append(0, "0");
    await waiting;
    const second = log.groups.consume(request("a", { timeoutMs: 3_600_000 }));
    const third = log.groups.consume(request("a"));
    expect((await second).read.records).toEqual([]);
    expect((await third).read.records).toEqual([]);
  });

  test.each([
    ["earliest", ["2"]],
    ["latest", []],
  ] as const)(
    "a place whose records the log let go of meanwhile is left for the %s one",
    async (offsetReset, wanted) => {
      let start = 0;
      const read: EventLog["read"] = async (asked) => {
        const startOf = ({ partition }: { partition: number }) => (partition === 0 ? start : 0);
        const positions = asked.positions.map((one) => ({
          ...one,
          offset: Math.max(one.offset, startOf(one)),
        }));
        const result = await log.read({ ...asked, positions });
        return { ...result, partitions: result.partitions.map((one) => ({ ...one, start: startOf(one) })) };
      };
      await append(0, "0");
      await over({ read }, async (groups) => {
        const first = request("a", { settings: { ...settings, offsetReset } });
        await groups.consume(first);
        await append(0, "1");
        await append(0, "2");
        start = 2;
        const result = (await groups.consume(first)).read;
        expect(result.records.length === 0 ? [] : texts(result)).toEqual(wanted);
        await append(0, "3");
        expect(texts((await groups.consume(first)).read)).toEqual(["3"]);
      });
    },
  );

  test("an instance that may begin nowhere leaves its group, and keeps no partition", async () => {
    await append(0, "0");
    const none = request("a", { settings: { ...settings, offsetReset: "none" } });
    await expect(log.groups.consume(none)).rejects.toMatchObject({ code: "refused", effect: "none" });
    expect(await log.groups.list()).toEqual([]);
  });

  test("a failure to note what is handed out hands out nothing, and the next call has it", async () => {
    await append(0, "0");
    await log.groups.consume(request("a", { maxBytes: 1 }));
    await append(0, "1");
    const database = openDatabase(join(directory.path, "failing.sqlite"), Infinity);
    const offsets = new CommittedOffsets(database);
    const coordinator = new SqliteCoordinator(offsets, () => new Map([["bids", 2]]));
    const groups = new InstanceGroups(log, coordinator);
    expect(texts((await groups.consume(request("a", { maxBytes: 1 }))).read)).toEqual(["0"]);
    database.exec("ALTER TABLE committed_offsets RENAME TO away");
    await expect(groups.consume(request("a"))).rejects.toBeInstanceOf(LogFailure);
    database.exec("ALTER TABLE away RENAME TO committed_offsets");
    expect(texts((await groups.consume(request("a"))).read)).toEqual(["1"]);
    await groups.close();
    database.close();
  });
});
