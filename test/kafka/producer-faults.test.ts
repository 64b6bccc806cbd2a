import { setTimeout as sleep } from "node:timers/promises";
import { protocolErrors } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorTable } from "../../bridge/kafka/error-table.ts";
import type { KafkaLog } from "../../bridge/kafka/kafka-log.ts";
import { type AppendRecord, type AppendResult, EMPTY_HEADERS, jsonSlice } from "../../bridge/log.ts";
import { type KafkaCluster, startKafka } from "../../local/kafka/cluster.ts";
import { freePorts } from "../../local/kafka/ports.ts";
import { Random } from "../faults/random.ts";
import { makeTopics, openKafkaLog } from "../support/kafka-log.ts";
import { KafkaWire, type WireFault } from "../support/kafka-wire.ts";

const record = (partition: number, value: string): AppendRecord => ({
  topic: "bids",
  partition,
  timestamp: 1_700_000_000_000,
  key: null,
  value: jsonSlice(value),
  headers: EMPTY_HEADERS,
});

describe("a producer on a wire that fails", () => {
  let wire: KafkaWire;
  let cluster: KafkaCluster;
  let log: KafkaLog;
  const partitions = 3;

  beforeAll(async () => {
    wire = await KafkaWire.open();
    const [port = 0] = await freePorts(1);
    const advertised = { "advertised.listeners": `PLAINTEXT://127.0.0.1:${wire.port}` };
    wire.leadTo(port);
    cluster = await startKafka({ port, settings: advertised });
    const brokers = [`127.0.0.1:${wire.port}`];
    await makeTopics(brokers, { bids: partitions, codes: 1 });
    // Kafka's default, which the other topics of tests do without.
    await makeTopics(brokers, { punctual: 1 }, { "message.timestamp.after.max.ms": "3600000" });
    const topics = { bids: partitions, codes: 1, punctual: 1 };
    log = await openKafkaLog(brokers, topics, { produceTimeoutMs: 1_000 });
  });
  afterAll(async () => {
    wire.fault = () => undefined;
    await log.close();
    await cluster.stop();
    await wire.close();
  });

  /** The next produces meet these, in order; then the wire is whole. */
  const meet = (...faults: readonly WireFault[]) => {
    const left = [...faults];
    wire.fault = () => left.shift();
  };

  const readAll = async (topic: string, partition: number): Promise<{ offset: number; value: string }[]> => {
    const all: { offset: number; value: string }[] = [];
    for (let offset = 0; ;) {
      const position = { topic, partition, offset };
      const { records, partitions: reads } = await log.read({
        positions: [position],
        maxBytes: 1e6,
        timeoutMs: 0,
      });
      const text = Buffer.concat(records).toString();
      all.push(...(JSON.parse(`[${text.slice(0, -2)}]`) as { offset: number; value: string }[]));
      const next = reads[0]?.next ?? offset;
      if (next === offset) return all;
      offset = next;
    }
  };

  const failureOf = (result: AppendResult | undefined) =>
    result !== undefined && "failure" in result ? result.failure : undefined;

  test("a lost answer appends nothing twice, and the offset told is the first one's", async () => {
    meet({ kind: "cut-answer" }, { kind: "cut-answer" });
    const before = await readAll("bids", 0);
    const [result] = await log.append([record(0, "once")]);
    expect(result).toMatchObject({ offset: before.length });
    expect((await readAll("bids", 0)).slice(before.length)).toMatchObject([{ value: "once" }]);
  });

  test("a request that never arrived is sent again", async () => {
    meet({ kind: "cut-request" }, { kind: "cut-request" });
    const before = await readAll("bids", 0);
    expect(await log.append([record(0, "arrives")])).toMatchObject([{ offset: before.length }]);
  });

  test("an answer that never comes is a time-out of unknown effect, and what follows is not taken for a repetition", async () => {
    const before = await readAll("bids", 1);
    meet({ kind: "hold-answer" });
    const [result] = await log.append([record(1, "in doubt")]);
    expect(failureOf(result)).toMatchObject({ code: "timeout", effect: "unknown" });
    meet();
    const [next] = await log.append([record(1, "after it")]);
    const read = (await readAll("bids", 1)).slice(before.length);
    expect(read.map(({ value }) => value)).toEqual(["in doubt", "after it"]);
    expect(next).toMatchObject({ offset: read.at(-1)?.offset });
  });

  test("what failed certainly says so: nothing of it is in the log", async () => {
    const before = await readAll("bids", 2);
    wire.fault = () => ({ kind: "cut-request" });
    const [result] = await log.append([record(2, "never")]);
    meet();
    expect(failureOf(result)).toMatchObject({ code: "unavailable" });
    expect(await readAll("bids", 2)).toEqual(before);
  });

  test("what was given up before it was sent is not sent in the name of what comes after it", async () => {
    const brokers = [`127.0.0.1:${wire.port}`];
    // Shorter than the wait for an identity, so that the next record waits for the same one.
    const fresh = await openKafkaLog(brokers, { bids: partitions }, { produceTimeoutMs: 800 });
    // A broker that has just started refuses identities for a moment.
    expect(await fresh.append([record(1, "warm")])).toMatchObject([{ offset: expect.any(Number) as number }]);
    const before = wire.produces;
    const release = wire.holdIdentities();
    const [givenUp] = await fresh.append([record(0, "given up")]);
    expect(failureOf(givenUp)).toMatchObject({ effect: "none" });
    const next = fresh.append([record(0, "next")]);
    // By now it waits for the same identity; were it not, the test would show nothing.
    await sleep(100);
    release();
    const [result] = await next;
    expect(result).toHaveProperty("offset");
    expect(wire.produces - before).toBe(1);
    expect((await readAll("bids", 0)).map(({ value }) => value)).not.toContain("given up");
    await fresh.close();
  });

  test("a record that the broker refuses takes no other with it, of its own call or of another's", async () => {
    const punctual = (value: string, timestamp: number) => ({
      ...record(0, value),
      topic: "punctual",
      timestamp,
    });
    const now = Date.now();
    const [first, mixed, last] = await Promise.all([
      log.append([punctual("a", now), punctual("b", now)]),
      log.append([punctual("c", now), punctual("ahead", now + 86_400_000), punctual("behind it", now)]),
      log.append([punctual("d", now)]),
    ]);
    expect(first).toMatchObject([{ offset: 0 }, { offset: 1 }]);
    expect(mixed[0]).toMatchObject({ offset: 2 });
    expect(failureOf(mixed[1])).toMatchObject({ code: "refused", effect: "none" });
    expect(failureOf(mixed[2])).toMatchObject({ code: "unavailable", effect: "none" });
    expect(last).toMatchObject([{ offset: 3 }]);
    expect((await readAll("punctual", 0)).map(({ value }) => value)).toEqual(["a", "b", "c", "d"]);
  });

  test("every error that Kafka lists has its meaning in the table", () => {
    const listed = Object.keys(protocolErrors).filter((name) => name !== "NONE");
    expect(listed.filter((name) => !errorTable.has(name))).toEqual([]);
    expect([...errorTable.keys()].filter((name) => !listed.includes(name))).toEqual([]);
  });

  test("no error of Kafka's list shows as success, however often the broker answers it", async () => {
    const brokers = [`127.0.0.1:${wire.port}`];
    const hasty = await openKafkaLog(brokers, { codes: 1 }, { produceTimeoutMs: 60 });
    for (const { id, code } of Object.values(protocolErrors)) {
      if (id === "NONE") continue;
      wire.fault = () => ({ kind: "answer-code", code });
      const [result] = await hasty.append([{ ...record(0, id), topic: "codes" }]);
      const failure = failureOf(result);
      expect(failure, id).toBeDefined();
      // What the table calls none may be unknown here: the wire lets the broker append first.
      if (errorTable.get(id)?.effect === "unknown") expect(failure?.effect, id).toBe("unknown");
    }
    wire.fault = () => undefined;
    expect(await hasty.append([{ ...record(0, "good again"), topic: "codes" }])).toMatchObject([
      { offset: expect.any(Number) as number },
    ]);
    await hasty.close();
  });

  describe.each([1, 2, 3, 4])("under drawn faults, seed %i", (seed) => {
    test("what was acknowledged is once in the log at its offset, in order; what failed is in doubt at most", async () => {
      const random = new Random(seed);
      const before = await Promise.all([0, 1, 2].map((partition) => readAll("bids", partition)));
      wire.fault = () => (random.chance(0.4) ? drawFault(random) : undefined);
      const told = await produceUnderFaults(seed, random);
      wire.fault = () => undefined;
      for (let partition = 0; partition < partitions; partition++) {
        const read = (await readAll("bids", partition)).slice(before[partition]?.length);
        const mine = told.filter((one) => one.partition === partition);
        const acknowledged = mine.filter(({ offset }) => offset !== null);
        for (const { value, offset } of acknowledged) {
          expect(read.filter((one) => one.value === value)).toEqual([
            expect.objectContaining({ value, offset }),
          ]);
        }
        // A client that waits for each answer finds its records in the order in which it sent them.
        const order = acknowledged.map(({ offset }) => Number(offset));
        expect(order).toEqual([...order].sort((left, right) => left - right));
        const certain = mine.filter(({ effect }) => effect === "none").map(({ value }) => value);
        expect(read.filter(({ value }) => certain.includes(value))).toEqual([]);
      }
      expect(told.filter(({ offset }) => offset !== null).length).toBeGreaterThan(50);
    });
  });

  interface Told {
    readonly partition: number;
    readonly value: string;
    readonly offset: number | null;
    readonly effect: string | undefined;
  }

  /** One client a partition, each of which waits for its answer before it sends the next records. */
  async function produceUnderFaults(seed: number, random: Random): Promise<Told[]> {
    const told: Told[] = [];
    const client = async (partition: number): Promise<void> => {
      for (let call = 0; call < 20; call++) {
        const values = Array.from(
          { length: random.integer(1, 4) },
          (_, index) => `${seed}/${partition}/${call}/${index}`,
        );
        const results = await log.append(values.map((value) => record(partition, value)));
        for (const [index, value] of values.entries()) {
          const result = results[index];
          const offset = result !== undefined && "offset" in result ? result.offset : null;
          told.push({ partition, value, offset, effect: failureOf(result)?.effect });
        }
      }
    };
    await Promise.all(Array.from({ length: partitions }, (_, partition) => client(partition)));
    return told;
  }
});

function drawFault(random: Random): WireFault {
  return random.pick<WireFault>([
    { kind: "cut-request" },
    { kind: "cut-answer" },
    { kind: "cut-answer" },
    { kind: "delay-answer", milliseconds: random.integer(1, 60) },
    { kind: "hold-answer" },
  ]);
}
