import { afterEach, describe, expect, test } from "vitest";
import { jsonSlice } from "../../../bridge/log.ts";
import { Harness, type MakeLog } from "./harness.ts";
import { newGroup, TestInstance, until, values } from "./test-instance.ts";

const earliest = { "kafka-auto-offset-reset": "earliest" };
const manual = { ...earliest, "kafka-enable-auto-commit": "false" };

export function describeGroupCopies(makeLog: MakeLog): void {
  describe("an instance whose calls land on several copies of the bridge", () => {
    const running: Harness[] = [];
    afterEach(async () => {
      for (const harness of running.splice(0)) await harness.stop();
    });

    const start = async (topics: Record<string, number>, maxAnswerBytes = 1_000) => {
      const copies = await Harness.startCopies(makeLog, topics, { maxAnswerBytes });
      running.push(...copies);
      return copies;
    };
    const make = (harness: Harness, headers: Record<string, string>) =>
      new TestInstance(harness, newGroup(), "a", { topics: ["bids"], headers });

    test("has every record once and in order, turn by turn", async () => {
      const [one, two] = await start({ bids: 3 });
      const a = make(one, earliest);
      const texts = Array.from({ length: 90 }, (_, index) => `${index}`.padEnd(60, "."));
      const messages = texts.map((value, index) => ({ topic: "bids", partition: index % 3, value }));
      await one.produce(messages.slice(0, 45));
      const all: { partition: number; value: string }[] = [];
      let turn = 0;
      await until(async () => {
        if (turn === 10) await two.produce(messages.slice(45));
        all.push(...(await a.consume(turn < 10 ? 300 : 1_000, turn++ % 2 === 0 ? one : two)));
        return all.length >= texts.length;
      });
      for (const partition of [0, 1, 2]) {
        const wanted = texts.filter((_, index) => index % 3 === partition);
        expect(all.filter((record) => record.partition === partition).map(({ value }) => value)).toEqual(
          wanted,
        );
      }
    });

    test("has what came between two calls, although it began at the end", async () => {
      const [one, two] = await start({ bids: 1 });
      const a = make(one, {});
      await one.produce([{ topic: "bids", value: "before" }]);
      await until(async () => {
        expect(await a.consume(200, one)).toEqual([]);
        return (await a.committed("bids", [0]))[0] === 1;
      });
      await one.produce([{ topic: "bids", value: "between" }]);
      const read: string[] = [];
      await until(async () => {
        read.push(...values(await a.consume(500, two)));
        return read.length > 0;
      });
      expect(read).toEqual(["between"]);
    });

    test("commits on one copy what another one handed out, with the settings of its first call", async () => {
      const [one, two] = await start({ bids: 1 });
      const a = make(one, manual);
      await one.produce(["0", "1", "2"].map((value) => ({ topic: "bids", value })));
      expect(values(await a.take(3))).toEqual(["0", "1", "2"]);
      expect(await a.consume(0, two)).toEqual([]);
      expect(await a.committed("bids", [0])).toEqual([0]);
      expect(await a.commit(undefined, two)).toMatchObject({ status: 200 });
      expect(await a.committed("bids", [0])).toEqual([3]);
      expect(await a.commit({ topic: "bids", partition: 0, offset: 1 }, one)).toMatchObject({ status: 200 });
      expect(await a.committed("bids", [0])).toEqual([1]);
      expect(await two.send(`/delete-consumer/${a.path}`, undefined, { method: "POST" })).toMatchObject({
        status: 200,
      });
      expect(await a.shares()).toEqual({});
      expect(await a.commit()).toMatchObject({ status: 422 });
    });

    test("goes on where it was when the copy that served it stops", async () => {
      const [one, two] = await start({ bids: 1 });
      const a = make(two, manual);
      const again = { topic: "bids", value: "again" };
      await two.produce(["0", "1"].map((value) => ({ topic: "bids", value })));
      const read: string[] = [];
      await until(async () => {
        read.push(...values(await a.consume(500, one)));
        return read.length >= 2;
      });
      // Over a log that one process alone has, both copies are one.
      if (await isShared(makeLog)) await running.shift()?.stop();
      await two.produce([again]);
      expect(values(await a.take(1))).toEqual(["again"]);
      expect(await a.committed("bids", [0])).toEqual([0]);
    });
  });

  describe("an answer that does not reach its client", () => {
    const request = (group: string) => ({
      group,
      instance: "a",
      topics: ["bids"],
      settings: {
        autoCommit: true,
        autoCommitIntervalMs: 5_000,
        offsetReset: "earliest" as const,
        sessionTimeoutMs: 120_000,
      },
      maxBytes: 100_000,
      timeoutMs: 5_000,
    });

    test("is given again", async () => {
      const { log, remove } = await makeLog({ bids: 1 });
      const record = { topic: "bids", partition: 0, timestamp: 1, key: null, headers: jsonSlice([]) };
      await log.append(["0", "1"].map((text) => ({ ...record, value: jsonSlice(text) })));
      const group = newGroup();
      const text = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString();
      const first = await log.groups.consume(request(group));
      expect(text(first.read.records)).toContain('"value":"1"');
      await first.takeBack();
      const second = await log.groups.consume(request(group));
      expect(text(second.read.records)).toBe(text(first.read.records));
      const third = await log.groups.consume({ ...request(group), timeoutMs: 0 });
      expect(third.read.records).toEqual([]);
      await log.close();
      await remove();
    });

    test("of a client that went away while it waited holds nothing", async () => {
      const harness = await Harness.start(makeLog, { bids: 1 });
      const a = new TestInstance(harness, newGroup(), "a", { topics: ["bids"], headers: earliest });
      await until(async () => {
        await a.consume(200);
        return "a" in (await a.shares());
      });
      const gone = new AbortController();
      const waiting = fetch(`${harness.bridge.url}/consume/${a.path}`, {
        method: "POST",
        headers: { authorization: harness.authorization },
        body: JSON.stringify({ topics: ["bids"], timeout: 20_000 }),
        signal: gone.signal,
      });
      const failed = expect(waiting).rejects.toThrow(/abort/i);
      await new Promise((resolve) => setTimeout(resolve, 200));
      gone.abort();
      await failed;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await harness.produce([{ topic: "bids", value: "v" }]);
      expect(values(await a.take(1))).toEqual(["v"]);
      await harness.stop();
    });
  });
}

async function isShared(makeLog: MakeLog): Promise<boolean> {
  const { log, another, remove } = await makeLog({ unused: 1 });
  await log.close();
  await remove();
  return another !== undefined;
}
