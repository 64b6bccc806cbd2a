import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GavelProcess, startGavelProcess } from "../../local/gavel-process.ts";
import { type AppendResult, EMPTY_HEADERS, jsonSlice } from "../../bridge/log.ts";
import { type KafkaCluster, startKafka } from "../../local/kafka/cluster.ts";
import { type Evidence, violationsOf } from "../support/history/checker.ts";
import { History } from "../support/history/history.ts";
import { adminOf, openKafkaLog } from "../support/kafka-log.ts";
import { placeBacklog } from "./support/auction-load.ts";
import { gatherEvidence } from "./support/evidence.ts";
import { type FaultReport, runFailover } from "./support/failover-run.ts";
import { type Rebuild, rebuild } from "./support/rebuild.ts";

/** Bids placed at the end, so that the rate of a rebuild says something. */
const backlog = 20_000;

describe("Gavel over three brokers that are killed, stopped and hang while clients list and bid", () => {
  const home = mkdtempSync(join(tmpdir(), "gavel-failover-"));
  const history = new History();
  let cluster: KafkaCluster;
  let gavel: GavelProcess;
  let reports: FaultReport[];
  let evidence: Evidence;
  const outageAnswers: (AppendResult | undefined)[] = [];

  beforeAll(async () => {
    cluster = await startKafka({ nodes: 3 });
    gavel = await startGavelProcess({ home, kafka: cluster.bootstrap });
    try {
      const { url, keys } = gavel.local;
      const probe = await openProbe(cluster);
      const duringOutage = async () => void outageAnswers.push(await probe.append());
      reports = await runFailover({ cluster, gavel, history, duringOutage });
      await probe.close();
      await placeBacklog(history, () => ({ url, key: keys.backend }), backlog);
      evidence = await gatherEvidence(cluster.bootstrap, gavel, history);
    } catch (error) {
      throw new Error(`The run broke off; Gavel's last words:\n${lastWords(gavel)}`, { cause: error });
    }
    console.table(reports.map(({ fault, recoveryMs, mendingMs }) => ({ fault, recoveryMs, mendingMs })));
    console.log("acknowledged", history.acknowledged.length, "failures seen by clients", history.failures);
  });
  afterAll(async () => {
    await gavel.stop();
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it("clients were hit at work, and it went on by itself each time", () => {
    expect(reports).toHaveLength(7);
    expect(history.failures.unavailable + history.failures.noAnswer).toBeGreaterThan(0);
  });

  it("keeps its word: nothing acknowledged is lost, order per key holds, the state is what the log says", () => {
    expect(history.acknowledged.length).toBeGreaterThan(backlog);
    expect(violationsOf(evidence).slice(0, 20)).toEqual([]);
  });

  it("refuses no bid, and has no other answer to a log that is away than 503", () => {
    const told = history.attempts.filter(({ event }) => event.type === "gavel.bid.placed.v1");
    expect(told.filter(({ told: { kind } }) => kind === "refused")).toEqual([]);
    const failed = history.attempts.flatMap(({ told: answer }) => (answer.kind === "failed" ? [answer] : []));
    expect(failed.filter(({ status, saysWhenToRetry }) => status !== 503 || !saysWhenToRetry)).toEqual([]);
  });

  it("acknowledges nothing while too few replicas are in sync", () => {
    const outages = reports.flatMap(({ outage }) => (outage === null ? [] : [outage]));
    expect(outages).toHaveLength(3);
    for (const { from, until } of outages) {
      const within = history.attempts.filter(({ sentAt, endedAt }) => sentAt >= from && endedAt <= until);
      expect(within.length).toBeGreaterThan(0);
      expect(within.filter(({ told }) => told.kind === "acknowledged")).toEqual([]);
    }
  });

  it("tells NOT_ENOUGH_REPLICAS as a failure, and as one without effect", () => {
    expect(outageAnswers).toHaveLength(3);
    for (const answer of outageAnswers) expect(answer).toHaveProperty("failure");
    expect(outageAnswers.at(-1)).toMatchObject({
      failure: {
        code: "unavailable",
        effect: "none",
        message: expect.stringContaining("NOT_ENOUGH_REPLICAS") as string,
      },
    });
  });

  describe("an object whose storage is wiped", () => {
    let rebuilt: Rebuild;
    beforeAll(async () => {
      const items = evidence.items as ReadonlyMap<string, object>;
      rebuilt = await rebuild({ home, bootstrap: cluster.bootstrap, gavel, items });
      const { records, tookMs } = rebuilt;
      console.log(
        `rebuilt from ${records} records in ${tookMs} ms: ${Math.round((1_000 * records) / tookMs)}/s`,
      );
    });

    it("finds the same state in the log", () => {
      expect(rebuilt.before.digests.size).toBe(8);
      expect(rebuilt.after.digests).toEqual(rebuilt.before.digests);
      expect(rebuilt.after.items).toEqual(rebuilt.before.items);
    });

    it("writes nothing a second time", () => {
      expect(rebuilt.after.ends).toEqual(rebuilt.before.ends);
    });
  });
});

/** The bridge's log without the bridge: its failures say more than a status does. */
async function openProbe({ bootstrap, nodes }: KafkaCluster) {
  const topic = "probe";
  const admin = adminOf(bootstrap);
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: nodes.length });
  await admin.close();
  const log = await openKafkaLog(bootstrap, { [topic]: 1 });
  const record = { topic, partition: 0, timestamp: Date.now(), key: null, value: jsonSlice("a record") };
  return {
    append: async () => (await log.append([{ ...record, headers: EMPTY_HEADERS }]))[0],
    close: () => log.close(),
  };
}

/** What was printed last, without the lines of single requests. */
function lastWords(gavel: GavelProcess): string {
  const lines = gavel.output().split("\n");
  return lines
    .filter((line) => !line.includes('"event":"request"'))
    .slice(-40)
    .join("\n");
}
