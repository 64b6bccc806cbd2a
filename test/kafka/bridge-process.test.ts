import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { type KafkaCluster, startKafka } from "../../local/kafka/cluster.ts";
import { authorization, type BridgeChild, ended, spawnBridge, startChild } from "../bridge/child.ts";
import { parseExposition } from "../bridge/exposition.ts";
import { makeTopics } from "../support/kafka-log.ts";

const { bootstrap, listeners, authority, user } = inject("kafka");
const credentials = { BRIDGE_USERNAME: "tester", BRIDGE_PASSWORD: "only-for-tests" };
const topic = "bridge-process";
const sasl = { BRIDGE_SASL_USERNAME: user.name, BRIDGE_SASL_PASSWORD: user.password };

let folder: string;
const children: BridgeChild[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gavel-bridge-process-"));
  writeFileSync(join(folder, "authority.pem"), authority);
  await makeTopics(bootstrap, { [topic]: 1 });
});
afterEach(() => Promise.all(children.splice(0).map(end)));
afterAll(() => rmSync(folder, { recursive: true }));

const end = async ({ process }: BridgeChild) => {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const gone = ended(process);
  process.kill("SIGKILL");
  await gone;
};
const brokers = (listener: keyof typeof listeners) => (listeners[listener] ?? []).join(",");
/** With time for a broker that loads a codec, or gives out producer ids, for the first time. */
const over = (servers: string, ...more: string[]) => [
  ...["--kafka", servers, "--topics", topic, "--partitions", "1", "--produce-timeout-ms", "20000"],
  ...more,
];
const tls = () => ["--tls", "--tls-ca", join(folder, "authority.pem")];

async function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<BridgeChild> {
  const child = await startChild(args, env);
  children.push(child);
  return child;
}

async function call<T>({ url }: Pick<BridgeChild, "url">, path: string, body?: unknown) {
  const response = await fetch(url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as T };
}

/** A record goes in and comes out again. */
async function expectRoundTrip(bridge: BridgeChild): Promise<void> {
  const value = `v${Math.random()}`;
  const produced = await call<{ offset: number }[]>(bridge, "/produce", { topic, partition: 0, value });
  expect(produced.status).toBe(200);
  const offset = produced.body[0]?.offset;
  expect(await call(bridge, "/fetch", { topic, partition: 0, offset })).toMatchObject({ body: [{ value }] });
}

describe("the bridge as a process over Kafka", () => {
  test("in plain text", async () => {
    const bridge = await start(over(brokers("PLAINTEXT")));
    await expectRoundTrip(bridge);
    expect(await call(bridge, "/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
  });

  test.each(["gzip", "snappy", "lz4", "zstd"])("with %s", async (codec) => {
    await expectRoundTrip(await start(over(brokers("PLAINTEXT"), "--compression", codec)));
  });

  test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])("by %s over TLS", async (mechanism) => {
    await expectRoundTrip(await start(over(brokers("SASL_SSL"), "--sasl", mechanism, ...tls()), sasl));
  });

  test("over TLS, with a name to expect in the certificate", async () => {
    await expectRoundTrip(await start(over(brokers("SSL"), ...tls(), "--tls-server-name", "localhost")));
  });

  test("by a token from a file", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(Date.now() / 1000);
    const token = `${part({ alg: "none" })}.${part({ sub: "gavel", iat: seconds, exp: seconds + 600 })}.`;
    const file = join(folder, "token");
    writeFileSync(file, `${token}\n`);
    const args = ["--sasl", "OAUTHBEARER", "--sasl-token-file", file];
    await expectRoundTrip(await start(over(brokers("SASL_PLAINTEXT"), ...args)));
  });

  test.each([
    [
      "a wrong password",
      () => ["--sasl", "SCRAM-SHA-256", ...tls()],
      "SASL_SSL",
      /^Kafka refuses the bridge's credentials/m,
    ],
    [
      "a certificate that nobody vouches for",
      () => ["--sasl", "PLAIN", "--tls"],
      "SASL_SSL",
      /^Kafka cannot be reached .*\(DEPTH_ZERO_SELF_SIGNED_CERT\)/m,
    ],
    [
      "a certificate of another name",
      () => [...tls(), "--sasl", "PLAIN", "--tls-server-name", "other.example"],
      "SASL_SSL",
      /^Kafka cannot be reached .*\(ERR_TLS_CERT_ALTNAME_INVALID\)/m,
    ],
    ["another topic", () => ["--topics", "nobody-made-it"], "PLAINTEXT", /nobody-made-it.*does not exist/],
    ["another partition count", () => ["--partitions", "2"], "PLAINTEXT", /has 1 partitions, not 2/],
  ] as const)(
    "%s ends the start with plain sentences, which hold no secret",
    async (_name, args, listener, sentence) => {
      const password = "guessed-password";
      const env = { ...credentials, BRIDGE_SASL_USERNAME: user.name, BRIDGE_SASL_PASSWORD: password };
      const withSasl = listener === "SASL_SSL" ? env : credentials;
      const { code, errors, output } = await ended(
        spawnBridge([...over(brokers(listener)), "--port", "0", ...args()], withSasl),
      );
      expect(code).toBe(1);
      expect(errors).toMatch(sentence);
      expect(errors).not.toMatch(/\n {4}at |DeprecationWarning/);
      expect(errors + output).not.toContain(password);
    },
  );

  test("makes missing topics when it is told to, and says how to make them when it is not", async () => {
    const made = ["--topics", `made-${Date.now()}`];
    const refused = await ended(
      spawnBridge([...over(brokers("PLAINTEXT")), "--port", "0", ...made], credentials),
    );
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.errors).toContain(`kafka-topics.sh --bootstrap-server ${brokers("PLAINTEXT")} --create`);
    const creation = ["--create-topics", "--replication", "1", "--min-insync-replicas", "1"];
    const bridge = await start([...over(brokers("PLAINTEXT")), ...made, ...creation]);
    expect(await call(bridge, "/readyz")).toMatchObject({ status: 200 });
  });

  test("what brokers answer is counted by Kafka's name", async () => {
    const bridge = await start(over(brokers("PLAINTEXT"), "--metrics-open"));
    const behindTheEnd = { topic, partition: 0, offset: 1_000_000, timeout: 0 };
    expect(await call(bridge, "/fetch", behindTheEnd)).toMatchObject({ status: 200, body: [] });
    const families = parseExposition(await (await fetch(`${bridge.url}/metrics`)).text());
    const errors = families.get("gavel_bridge_broker_errors_total")?.samples ?? [];
    expect(errors.map(({ labels }) => labels["error"])).toContain("OFFSET_OUT_OF_RANGE");
  });
});

describe("a bridge whose broker stands still", () => {
  let cluster: KafkaCluster;
  let pid: number;
  beforeAll(async () => {
    cluster = await startKafka();
    pid = cluster.nodes[0]?.pid ?? 0;
    await makeTopics(cluster.bootstrap, { [topic]: 1 });
  });
  afterEach(() => {
    process.kill(pid, "SIGCONT");
  });
  afterAll(() => cluster.stop());

  const startSlow = (...more: string[]) =>
    start(over(cluster.bootstrap.join(","), "--metrics-open", ...more));
  const inFlight = async ({ url }: BridgeChild) => {
    const families = parseExposition(await (await fetch(`${url}/metrics`)).text());
    return families.get("gavel_bridge_bytes_in_flight")?.samples[0]?.value ?? 0;
  };
  const record = (bytes: number) => ({ topic, partition: 0, value: "x".repeat(bytes) });

  test("answers 503 at once beyond its bound, with no effect, and what it took is written", async () => {
    const bridge = await startSlow("--max-pending-bytes", "300000", "--max-body-bytes", "200000");
    await expectRoundTrip(bridge);
    process.kill(pid, "SIGSTOP");
    const taken = [call(bridge, "/produce", record(100_000)), call(bridge, "/produce", record(100_000))];
    await expect.poll(() => inFlight(bridge)).toBeGreaterThan(200_000);
    const refused = await call(bridge, "/produce", record(150_000));
    expect(refused).toMatchObject({ status: 503, body: { effect: "none" } });
    expect(refused.headers.get("retry-after")).toBe("1");
    process.kill(pid, "SIGCONT");
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200]);
    await expectRoundTrip(bridge);
  });

  test("when it is stopped, finishes the produce that waits, and ends with code 0", async () => {
    const bridge = await startSlow();
    await expectRoundTrip(bridge);
    process.kill(pid, "SIGSTOP");
    const waiting = call<{ offset: number }[]>(bridge, "/produce", record(10));
    await expect.poll(() => inFlight(bridge)).toBeGreaterThan(0);
    const gone = ended(bridge.process);
    bridge.process.kill("SIGTERM");
    await expect
      .poll(
        () =>
          fetch(`${bridge.url}/healthz`).then(
            () => "answers",
            () => "refuses",
          ),
        { timeout: 10_000 },
      )
      .toBe("refuses");
    process.kill(pid, "SIGCONT");
    expect((await waiting).status).toBe(200);
    expect(await gone).toMatchObject({ code: 0, signal: null });
  });
});
