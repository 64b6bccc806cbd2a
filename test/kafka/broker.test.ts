import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin, type AdminOptions, Producer, stringSerializers } from "@platformatic/kafka";
import { afterEach, describe, expect, inject, it } from "vitest";
import { askCluster } from "../../local/kafka/answering.ts";
import { type KafkaCluster, type KafkaOptions, startKafka } from "../../local/kafka/cluster.ts";

const clusters: KafkaCluster[] = [];
afterEach(() => Promise.all(clusters.splice(0).map((cluster) => cluster.stop())));

async function start(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const cluster = await startKafka(options);
  clusters.push(cluster);
  return cluster;
}

/** Makes a topic of one partition, on as many brokers as there are. */
async function makeTopic({ bootstrap, nodes }: KafkaCluster, topic: string): Promise<void> {
  const admin = new Admin({ clientId: "broker-test", bootstrapBrokers: [...bootstrap] });
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: nodes.length });
  await admin.close();
}

/** Appends one record, acknowledged by all replicas in sync. @returns its offset. */
async function append(cluster: KafkaCluster, topic: string): Promise<bigint | undefined> {
  const producer = new Producer({
    clientId: "broker-test",
    bootstrapBrokers: [...cluster.bootstrap],
    serializers: stringSerializers,
    retries: 20,
    // Acknowledged by all in sync (the client's default is the leader alone), and never twice.
    idempotent: true,
  });
  try {
    const { offsets } = await producer.send({ messages: [{ topic, partition: 0, value: "a record" }] });
    return offsets?.[0]?.offset;
  } finally {
    await producer.close();
  }
}

/** Who leads the topic's one partition, and how many brokers are in sync with it. */
async function stateOf(cluster: KafkaCluster, topic: string): Promise<{ leader: number; inSync: number }> {
  const admin = new Admin({ clientId: "broker-test", bootstrapBrokers: [...cluster.bootstrap] });
  try {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    const { leader = -1, isr = [] } = topics.get(topic)?.partitions[0] ?? {};
    return { leader, inSync: isr.length };
  } finally {
    await admin.close();
  }
}

const patience = { timeout: 60_000 };

describe("one broker", () => {
  it("comes back on its port after a kill -9, with what it had acknowledged", async () => {
    const cluster = await start();
    const [node] = cluster.nodes;
    await makeTopic(cluster, "kept");
    expect(await append(cluster, "kept")).toBe(0n);
    await node?.kill();
    expect(node?.pid).toBeUndefined();
    await expect(askCluster(cluster.bootstrap)).rejects.toThrow();
    await node?.start();
    expect(await append(cluster, "kept")).toBe(1n);
  });

  it("keeps a directory that it was given, and is the same cluster when it starts on it again", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gavel-kafka-kept-"));
    try {
      const first = await start({ directory });
      await makeTopic(first, "kept");
      await append(first, "kept");
      await first.stop();
      const second = await start({ directory });
      expect(second.clusterId).toBe(first.clusterId);
      expect((await askCluster(second.bootstrap)).id).toBe(first.clusterId);
      expect(await append(second, "kept")).toBe(1n);
      await second.stop();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("makes no topic that nobody made", async () => {
    const admin = new Admin({ clientId: "broker-test", bootstrapBrokers: [...inject("kafka").bootstrap] });
    const asked = admin.metadata({ topics: ["nobody-made-it"], autocreateTopics: true, forceUpdate: true });
    await expect(asked).rejects.toThrow();
    expect(await admin.listTopics()).not.toContain("nobody-made-it");
    await admin.close();
  });

  it("ends with the process that started it, killed with -9, and leaves no directory behind", async () => {
    const script = `
      import { startKafka } from "${join(import.meta.dirname, "../../local/kafka/cluster.ts")}";
      const { nodes: [node] } = await startKafka();
      console.log(JSON.stringify({ pid: node.pid, output: node.output }));
    `;
    const starter = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface(starter.stdout), "line")) as [string];
    const { pid, output } = JSON.parse(line) as { pid: number; output: string };
    expect(isAlive(pid)).toBe(true);
    starter.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(output), { timeout: 10_000 }).toBe(false);
  });

  it("says what it printed when it does not start", async () => {
    const refused = startKafka({ settings: { "log.segment.bytes": "none" } });
    await expect(refused).rejects.toThrow(/log\.segment\.bytes/);
  });
});

describe("three brokers", () => {
  it("elect another leader when a leader is killed, which then catches up", async () => {
    const cluster = await start({ nodes: 3 });
    await makeTopic(cluster, "led");
    const state = () => stateOf(cluster, "led");
    await expect.poll(state, patience).toMatchObject({ inSync: 3 });
    const { leader: first } = await state();
    const victim = cluster.nodes.find(({ id }) => id === first);
    expect(await append(cluster, "led")).toBe(0n);
    await victim?.kill();
    await expect.poll(async () => (await state()).leader, patience).not.toBe(first);
    expect(await append(cluster, "led")).toBe(1n);
    await victim?.start(3);
    await expect.poll(state, patience).toMatchObject({ inSync: 3 });
    const other = cluster.nodes.find(({ id }) => id !== first);
    await other?.kill();
    // Two in sync are required, and the one that came back is one of them.
    expect(await append(cluster, "led")).toBe(2n);
  });
});

describe("secure listeners", () => {
  const { listeners, authority, user, clusterId } = inject("kafka");

  async function clusterSeenBy(
    listener: keyof typeof listeners,
    options: Partial<AdminOptions>,
  ): Promise<string> {
    const admin = new Admin({
      clientId: "broker-test",
      bootstrapBrokers: [...(listeners[listener] ?? [])],
      retries: 0,
      ...options,
    });
    try {
      return (await admin.metadata({ topics: [], forceUpdate: true })).id;
    } finally {
      await admin.close();
    }
  }

  it("answer over TLS a client that trusts the certificate, and no other", async () => {
    expect(await clusterSeenBy("SSL", { tls: { ca: authority } })).toBe(clusterId);
    await expect(clusterSeenBy("SSL", { tls: {} })).rejects.toThrow();
  });

  it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
    "let a user in by %s, with TLS and without, and nobody with another password",
    async (mechanism) => {
      const sasl = { mechanism, username: user.name, password: user.password };
      expect(await clusterSeenBy("SASL_PLAINTEXT", { sasl })).toBe(clusterId);
      expect(await clusterSeenBy("SASL_SSL", { sasl, tls: { ca: authority } })).toBe(clusterId);
      const wrong = { ...sasl, password: "guessed" };
      await expect(clusterSeenBy("SASL_PLAINTEXT", { sasl: wrong })).rejects.toThrow();
    },
  );

  it("let a bearer of a token in", async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(Date.now() / 1000);
    const token = `${part({ alg: "none" })}.${part({ sub: "gavel", iat: seconds, exp: seconds + 600 })}.`;
    const sasl = { mechanism: "OAUTHBEARER", token } as const;
    expect(await clusterSeenBy("SASL_PLAINTEXT", { sasl })).toBe(clusterId);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
