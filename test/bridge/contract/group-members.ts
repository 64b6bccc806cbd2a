import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog } from "./harness.ts";
import { newGroup, PATIENCE_MS, shareOut, TestInstance, until, values } from "./test-instance.ts";

const earliest = { "kafka-auto-offset-reset": "earliest" };
const manual = { ...earliest, "kafka-enable-auto-commit": "false" };

export function describeGroupMembers(makeLog: MakeLog): void {
  describe("instances of a group", () => {
    let harness: Harness;
    const topics = { shared: 4, taken: 4, dead: 2, moving: 2, rebalanced: 2, ranges: 3, idle: 1, other: 2 };
    beforeAll(async () => {
      harness = await Harness.start(makeLog, topics);
    });
    afterAll(() => harness.stop());

    const pair = (topic: string, headers: Record<string, string>) => {
      const group = newGroup();
      const make = (name: string) => new TestInstance(harness, group, name, { topics: [topic], headers });
      return [make("a"), make("b")] as const;
    };
    const produceToAll = (topic: keyof typeof topics, text: string) =>
      harness.produce(
        Array.from({ length: topics[topic] }, (_, partition) => ({
          topic,
          partition,
          value: `${text}${partition}`,
        })),
      );

    test("share its partitions: each record goes to one of them", async () => {
      const [a, b] = pair("shared", earliest);
      await shareOut([a, b], "shared", [2, 2]);
      await produceToAll("shared", "p");
      const [ofA, ofB] = await Promise.all([a.take(2), b.take(2)]);
      expect([...values(ofA), ...values(ofB)].sort()).toEqual(["p0", "p1", "p2", "p3"]);
      expect(values(ofA).sort()).toEqual(["p0", "p1"]);
    });

    test("divide partitions that do not come out even, and the last of too many has none", async () => {
      const group = newGroup();
      const make = (name: string) =>
        new TestInstance(harness, group, name, { topics: ["ranges"], headers: earliest });
      const four = ["a", "b", "c", "d"].map(make);
      await shareOut(four.slice(0, 2), "ranges", [2, 1]);
      await shareOut(four, "ranges", [1, 1, 1, 0]);
      expect(Object.keys((await four[0]?.shares()) ?? {}).sort()).toEqual(["a", "b", "c", "d"]);
    });

    test("take over what one that ended had", async () => {
      const [a, b] = pair("taken", manual);
      await shareOut([a, b], "taken", [2, 2]);
      await produceToAll("taken", "p");
      await Promise.all([a.take(2), b.take(2)]);
      await harness.send(`/delete-consumer/${a.path}`, undefined, { method: "DELETE" });
      expect(values(await b.take(2)).sort()).toEqual(["p0", "p1"]);
    });

    test(
      "take over what one that is not called any more had and did not commit",
      async () => {
        const [a, b] = pair("dead", { ...manual, "kafka-session-timeout-ms": "6000" });
        await shareOut([a, b], "dead", [1, 1]);
        await produceToAll("dead", "p");
        expect(values(await a.take(1))).toEqual(["p0"]);
        expect(values(await b.take(2)).sort()).toEqual(["p0", "p1"]);
        expect(Object.keys(await b.shares())).toEqual(["b"]);
      },
      2 * PATIENCE_MS,
    );

    test("one that waits hands out nothing of a partition that goes to another one meanwhile", async () => {
      const [a, b] = pair("moving", manual);
      await shareOut([a], "moving", [2]);
      const waiting = a.consume(20_000);
      await until(async () => {
        await b.consume(200);
        return (await b.shares())["b"]?.length === 1;
      });
      await produceToAll("moving", "p");
      const read = [...values(await waiting), ...values(await b.take(1))];
      await until(async () => {
        read.push(...values(await a.consume(200)), ...values(await b.consume(200)));
        return read.length >= 2;
      });
      expect(read.sort()).toEqual(["p0", "p1"]);
    });

    test("cannot commit for a partition that went to another one, until they consume again", async () => {
      const [a, b] = pair("rebalanced", manual);
      await produceToAll("rebalanced", "p");
      expect(values(await a.take(2)).sort()).toEqual(["p0", "p1"]);
      await until(async () => {
        await b.consume(200);
        return (await b.shares())["b"]?.length === 1;
      });
      // Both retries of the same commit and another one fail: nothing of it shows as a success.
      expect(await a.commit()).toMatchObject({ status: 503, body: { effect: "none" } });
      expect(await a.commit()).toMatchObject({ status: 503 });
      const lost = { topic: "rebalanced", partition: 1, offset: 1 };
      expect(await a.commit(lost)).toMatchObject({ status: 422 });
      expect((await a.committed("rebalanced", [1]))[0]).toBe(0);
      expect(await a.consume(0)).toEqual([]);
      expect(await a.commit()).toMatchObject({ status: 200 });
      expect((await a.committed("rebalanced", [0]))[0]).toBe(1);
    });

    test("one that consumes other topics than before has the partitions of these", async () => {
      const group = newGroup();
      const before = new TestInstance(harness, group, "a", { topics: ["idle"], headers: earliest });
      const after = new TestInstance(harness, group, "a", { topics: ["other", "idle"], headers: earliest });
      await shareOut([before], "idle", [1]);
      await shareOut([after], "other", [2]);
      expect(await after.shares()).toEqual({
        a: expect.arrayContaining([{ topic: "idle", partitions: [0] }]) as unknown,
      });
    });
  });
}
