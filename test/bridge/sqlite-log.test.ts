import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AppendRecord, type AppendResult, EMPTY_HEADERS, jsonSlice } from "../../bridge/log.ts";
import { SqliteLog, type SqliteLogOptions } from "../../bridge/sqlite/sqlite-log.ts";
import { makeDirectory } from "./sqlite-support.ts";

const record = (partition: number, value: string, timestamp = 1): AppendRecord => ({
  topic: "bids",
  partition,
  timestamp,
  key: null,
  value: jsonSlice(value),
  headers: EMPTY_HEADERS,
});

const offsetsOf = (results: readonly AppendResult[]) =>
  results.map((result) => ("failure" in result ? result.failure.code : result.offset));

describe("the SQLite log", () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  let file: string;
  const open = (options: Partial<SqliteLogOptions> = {}) =>
    new SqliteLog({ file, topics: { bids: 2 }, ...options });
  beforeEach(async () => {
    directory = await makeDirectory();
    file = join(directory.path, "log.sqlite");
  });
  afterEach(() => directory.remove());

  const readAll = async (log: SqliteLog, partition: number, offset = 0) => {
    const positions = [{ topic: "bids", partition, offset }];
    const { records: parts } = await log.read({ positions, maxBytes: 2 ** 30, timeoutMs: 0 });
    const text = Buffer.concat(parts).toString();
    return JSON.parse(`[${text.slice(0, -2)}]`) as { offset: number; value: string }[];
  };

  test("goes on after a restart where it was", async () => {
    const first = open();
    await first.append([record(0, "a", 5), record(0, "b", 9), record(1, "c", 2)]);
    await first.close();
    const second = open();
    expect(offsetsOf(await second.append([record(0, "d", 1), record(1, "e", 1)]))).toEqual([2, 1]);
    expect(await readAll(second, 0)).toMatchObject([
      { value: "a" },
      { value: "b" },
      { offset: 2, value: "d" },
    ]);
    expect(await second.offsets(6, [{ topic: "bids", partition: 0 }])).toMatchObject([{ offset: 1 }]);
    expect(await second.offsets(10, [{ topic: "bids", partition: 0 }])).toMatchObject([{ offset: 3 }]);
    await second.close();
  });

  test("calls that arrive together share one commit and one row a partition", async () => {
    const log = open();
    const calls = Array.from({ length: 100 }, (_, call) => log.append([record(call % 2, `${call}`)]));
    const offsets = (await Promise.all(calls)).flatMap(offsetsOf);
    expect(offsets).toEqual(Array.from({ length: 100 }, (_, call) => Math.floor(call / 2)));
    await log.close();
    const database = new DatabaseSync(file, { readOnly: true });
    const rows = [1, 2].flatMap((id) => database.prepare(`SELECT records FROM chunks_${id}`).all());
    expect(rows).toEqual([{ records: 50 }, { records: 50 }]);
    database.close();
  });

  test("a large backlog is committed in several steps, in order", async () => {
    const log = open();
    const call = Array.from({ length: 4_000 }, (_, index) => record(0, `${index}`));
    const results = await Promise.all(Array.from({ length: 8 }, () => log.append(call)));
    expect(results.flatMap(offsetsOf)).toEqual(Array.from({ length: 32_000 }, (_, index) => index));
    expect((await readAll(log, 0, 31_999))[0]).toMatchObject({ offset: 31_999, value: "3999" });
    await log.close();
  });

  test("what is queued when the log is closed is written", async () => {
    const log = open();
    const queued = log.append([record(0, "queued")]);
    await log.close();
    expect(offsetsOf(await queued)).toEqual([0]);
    const again = open();
    expect(await readAll(again, 0)).toMatchObject([{ value: "queued" }]);
    await again.close();
  });

  test("a record for a partition that does not exist fails alone", async () => {
    const log = open();
    const results = await log.append([record(0, "a"), record(2, "b"), record(0, "c")]);
    expect(offsetsOf(results)).toEqual([0, "unknown-partition", 1]);
    await log.close();
  });

  test("a commit that fails leaves no hole, and reads go on", async () => {
    const log = open({ maxBytes: 1024 * 1024 });
    const large = "x".repeat(100_000);
    let written = 0;
    const fill = async () => {
      for (;;) written += (await log.append([record(0, large), record(1, large)])).length / 2;
    };
    await expect(fill()).rejects.toMatchObject({ code: "unavailable" });
    expect(written).toBeGreaterThan(1);
    const larger = record(0, large.repeat(8));
    await expect(log.append([larger])).rejects.toMatchObject({ code: "unavailable" });
    expect(await readAll(log, 1)).toHaveLength(written);
    // A small one still fits, at the offset that the failed ones did not take.
    expect(offsetsOf(await log.append([record(0, "a"), record(1, "b")]))).toEqual([written, written]);
    await log.close();
    const roomier = open();
    expect(offsetsOf(await roomier.append([record(0, large)]))).toEqual([written + 1]);
    expect((await readAll(roomier, 0)).map(({ offset }) => offset)).toEqual([...Array(written + 2).keys()]);
    await roomier.close();
  });

  test("a read that nobody waits for any more ends", async () => {
    const log = open();
    const gone = new AbortController();
    const positions = [{ topic: "bids", partition: 0, offset: 0 }];
    const waiting = log.read({ positions, maxBytes: 1_000, timeoutMs: 60_000, signal: gone.signal });
    gone.abort();
    expect((await waiting).records).toEqual([]);
    const late = log.read({ positions, maxBytes: 1_000, timeoutMs: 60_000, signal: gone.signal });
    expect((await late).records).toEqual([]);
    await log.close();
  });

  test("a file in use is refused, and free again once it is closed", async () => {
    const log = open();
    expect(() => open()).toThrow(`The log ${file} is in use by another process.`);
    await log.close();
    await open().close();
  });

  test("another partition count is refused: keys would change their partition", async () => {
    await open().close();
    expect(() => open({ topics: { bids: 3 } })).toThrow("Topic bids has 2 partitions in the log, not 3.");
    await open().close();
  });

  test("topics are added, and those of earlier starts stay", async () => {
    await open().close();
    const log = open({ topics: { items: 3 } });
    expect(await log.topics()).toEqual(
      new Map([
        ["bids", 2],
        ["items", 3],
      ]),
    );
    expect(offsetsOf(await log.append([record(0, "a")]))).toEqual([0]);
    await log.close();
  });

  test("a name that Kafka does not take is refused", () => {
    for (const name of ["", ".", "a b", 'a"', "ü", "x".repeat(250)]) {
      expect(() => open({ topics: { [name]: 1 } })).toThrow("is not a topic's name");
    }
  });

  test("a file of a newer program is refused", async () => {
    await open().close();
    const database = new DatabaseSync(file);
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(() => open()).toThrow("a newer version of the bridge wrote it");
  });

  test("a file that cannot be opened is a plain sentence", () => {
    file = join(directory.path, "missing", "log.sqlite");
    expect(() => open()).toThrow(/^The log .* cannot be opened: /);
  });
});
