import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { topics } from "../../src/topics.ts";
import { defaultLimits } from "../../bridge/limits.ts";
import { help } from "../../bridge/options/help.ts";
import type { KafkaSettings } from "../../bridge/options/kafka.ts";
import { type BridgeSettings, readSettings } from "../../bridge/options/settings.ts";
import { options, variableOf } from "../../bridge/options/table.ts";

const pair = { BRIDGE_USERNAME: "u", BRIDGE_PASSWORD: "a-secret" };
const sasl = { BRIDGE_SASL_USERNAME: "name-secret", BRIDGE_SASL_PASSWORD: "word-secret" };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gavel-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

function read(args: string[], env: NodeJS.ProcessEnv = pair): BridgeSettings {
  const settings = readSettings(args, env);
  if (settings === null) throw new Error("the help was asked for");
  return settings;
}

function kafka(args: string[] = [], env: NodeJS.ProcessEnv = {}): KafkaSettings {
  const { log } = read(["--kafka", "one:9092", ...args], { ...pair, ...env });
  if (log.kind !== "kafka") throw new Error("the log is not Kafka");
  return log.kafka;
}

/** What a start with these settings says before it ends. */
function refusal(args: string[], env: NodeJS.ProcessEnv): string {
  try {
    read(args, env);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

describe("settings", () => {
  test("a flag counts before a variable, and a variable before the default", () => {
    const env = { ...pair, BRIDGE_PORT: "1", BRIDGE_HOST: "0.0.0.0", BRIDGE_LOG_LEVEL: "" };
    const settings = read(["--file", "x", "--port", "2"], env);
    expect(settings).toMatchObject({ host: "0.0.0.0", port: 2, logLevel: "info", metricsOpen: false });
    expect(
      read(["--file", "x", "--no-metrics-open"], { ...pair, BRIDGE_METRICS_OPEN: "true" }).metricsOpen,
    ).toBe(false);
    expect(read(["--file", "x"], { ...pair, BRIDGE_METRICS_OPEN: "true" }).metricsOpen).toBe(true);
  });

  test("the help names each flag and its variable", () => {
    for (const name of Object.keys(options) as (keyof typeof options)[]) {
      expect(help).toContain(`--${name}`);
      if (name !== "help") expect(help.replaceAll(/\s+/g, " ")).toContain(`(${variableOf(name)}`);
    }
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test("the documentation explains each flag", () => {
    const document = readFileSync(join(import.meta.dirname, "../../docs/bridge.md"), "utf8");
    const missing = Object.keys(options).filter((name) => !document.includes(`\`--${name}`));
    expect(missing).toEqual([]);
  });

  test("a bridge has exactly one log, and a flag decides over what the environment says", () => {
    expect(() => read([])).toThrow("Say where the log is");
    expect(() => read(["--file", "x", "--kafka", "one:9092"])).toThrow("A bridge has one log");
    expect(() => read([], { ...pair, BRIDGE_FILE: "x", BRIDGE_KAFKA: "one:9092" })).toThrow(
      "A bridge has one log",
    );
    expect(read(["--kafka", "one:9092"], { ...pair, BRIDGE_FILE: "x" }).log.kind).toBe("kafka");
    expect(read(["--file", "x"], { ...pair, BRIDGE_KAFKA: "one:9092" }).log).toEqual({
      kind: "sqlite",
      file: "x",
    });
  });

  test("what only Kafka has is refused for an embedded log, so that nobody believes it in force", () => {
    expect(() => read(["--file", "x", "--tls"])).toThrow("--tls is for --kafka");
    expect(() => read(["--file", "x", "--compression", "zstd"])).toThrow("--compression is for --kafka");
  });

  test("the topics are Gavel's with a prefix, or those that are named", () => {
    const own = read(["--file", "x", "--topic-prefix", "demo.", "--partitions", "3"]).topics;
    expect(own.map(({ name }) => name)).toEqual(Object.values(topics).map((name) => `demo.${name}`));
    expect(own).toContainEqual({ name: "demo.auction.bids", partitions: 3, role: "journal" });
    expect(read(["--file", "x", "--topics", "a, b,"]).topics).toEqual([
      { name: "a", partitions: 8, role: null },
      { name: "b", partitions: 8, role: null },
    ]);
    expect(() => read(["--file", "x", "--topics", "a", "--topic-prefix", "b"])).toThrow("not both");
    expect(() => read(["--file", "x", "--topic-prefix", "a b"])).toThrow('"a bauction.items" is not');
  });

  test("each limit is a flag and a variable", () => {
    expect(read(["--file", "x"]).limits).toEqual(defaultLimits);
    const args = ["--max-answer-bytes", "1", "--max-wait-ms", "2", "--max-pending-bytes", "30000000"];
    const env = { BRIDGE_MAX_TAKE_MS: "3", BRIDGE_MAX_CONNECTIONS: "4", BRIDGE_MAX_BODY_BYTES: "5" };
    expect(read(["--file", "x", ...args], { ...pair, ...env }).limits).toEqual({
      ...defaultLimits,
      maxAnswerBytes: 1,
      maxWaitMs: 2,
      maxPendingBytes: 30_000_000,
      maxTakeMs: 3,
      maxConnections: 4,
      maxBodyBytes: 5,
    });
    expect(() => read(["--file", "x", "--max-pending-bytes", "1"])).toThrow("at least max-body-bytes");
  });
});

describe("settings of Kafka", () => {
  test("defaults: plain text, nothing made, and an answer before the gateway stops waiting for it", () => {
    expect(kafka()).toEqual({
      brokers: ["one:9092"],
      clientId: "gavel-bridge",
      tls: null,
      sasl: null,
      compression: "none",
      lingerMs: 0,
      produceTimeoutMs: 1_200,
      longestAuctionMs: 90 * 24 * 60 * 60 * 1000,
      createTopics: null,
    });
  });

  test("brokers are hosts and ports", () => {
    const brokers = ["a.example:1", "127.0.0.1:65535", "[::1]:9092"];
    expect(kafka(["--kafka", brokers.join(",")]).brokers).toEqual(brokers);
    for (const wrong of [
      "one",
      "one:0",
      "one:65536",
      "one:x",
      ":9092",
      "kafka://one:9092",
      "u:p@one:9092",
      "::1:9092",
    ]) {
      expect(() => kafka(["--kafka", wrong])).toThrow('kafka must be a list such as "one.example:9092');
    }
  });

  test("TLS with an authority, a certificate and a name of its own", () => {
    const args = [
      ["--tls-ca", file("ca.pem", "the authority")],
      ["--tls-cert", file("cert.pem", "the certificate")],
      ["--tls-key", file("key.pem", "key-secret")],
      ["--tls-server-name", "kafka.internal"],
    ];
    const { tls } = kafka(["--tls", ...args.flat()]);
    expect(tls).toMatchObject({ ca: "the authority", serverName: "kafka.internal" });
    expect([tls?.client?.cert, tls?.client?.key.reveal()]).toEqual(["the certificate", "key-secret"]);
    expect(kafka(["--tls"]).tls).toEqual({ ca: null, client: null, serverName: null });
    for (const detail of args)
      expect(() => kafka(detail)).toThrow(`${detail[0]?.slice(2)} is given without --tls.`);
    expect(() => kafka(["--tls", "--tls-cert", join(folder, "cert.pem")])).toThrow("go together");
    expect(() => kafka(["--tls", "--tls-ca", join(folder, "none.pem")])).toThrow(
      `The file of tls-ca, ${join(folder, "none.pem")}, cannot be read (ENOENT).`,
    );
  });

  test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])(
    "%s takes name and password from variables or files",
    (mechanism) => {
      const values = (settings: KafkaSettings) =>
        settings.sasl !== null && "username" in settings.sasl
          ? [settings.sasl.mechanism, settings.sasl.username.reveal(), settings.sasl.password.reveal()]
          : null;
      expect(values(kafka(["--sasl", mechanism], sasl))).toEqual([mechanism, "name-secret", "word-secret"]);
      const files = {
        BRIDGE_SASL_USERNAME_FILE: file("username", "from file\n"),
        BRIDGE_SASL_PASSWORD_FILE: file("password", "a b \n"),
      };
      expect(values(kafka(["--sasl", mechanism], files))).toEqual([mechanism, "from file", "a b "]);
      expect(() => kafka(["--sasl", mechanism])).toThrow(`${mechanism} needs BRIDGE_SASL_USERNAME`);
      expect(() => kafka(["--sasl", mechanism], { ...sasl, ...files })).toThrow("not both");
    },
  );

  test("OAUTHBEARER reads its token anew for each authentication", async () => {
    const path = file("token", "first\n");
    const settings = kafka(["--sasl", "OAUTHBEARER", "--sasl-token-file", path]).sasl;
    if (settings === null || !("token" in settings)) throw new Error("no token");
    expect(await settings.token()).toBe("first");
    writeFileSync(path, "second");
    expect(await settings.token()).toBe("second");
    writeFileSync(path, "\n");
    await expect(settings.token()).rejects.toThrow("holds no token");
    expect(() => kafka(["--sasl", "OAUTHBEARER"])).toThrow("OAUTHBEARER needs --sasl-token-file.");
  });

  test("credentials without a mechanism, and mechanisms that are none, are refused", () => {
    expect(() => kafka([], sasl)).toThrow("no mechanism");
    expect(() => kafka(["--sasl", "GSSAPI"], sasl)).toThrow("sasl must be one of PLAIN,");
    expect(() => kafka(["--compression", "brotli"])).toThrow("compression must be one of none, gzip,");
  });

  test("topics are made only when that is asked for, and so that they can be written", () => {
    expect(
      kafka(["--create-topics", "--replication", "1", "--min-insync-replicas", "1"]).createTopics,
    ).toEqual({
      replication: 1,
      minInsyncReplicas: 1,
    });
    expect(() => kafka(["--create-topics", "--replication", "1"])).toThrow("nothing could be written");
  });
});

describe("secrets", () => {
  test("are in no form that settings are shown in", () => {
    const key = file("key.pem", "key-secret");
    const tls = ["--tls", "--tls-cert", file("cert.pem", "c"), "--tls-key", key];
    const users = JSON.stringify([{ username: "u", password: "pass-secret", rights: [] }]);
    const env = { BRIDGE_USERS: users, ...sasl };
    const settings = read(["--kafka", "one:9092", "--sasl", "PLAIN", ...tls], env);
    const shown = [
      inspect(settings, { depth: null, showHidden: true, getters: true }),
      JSON.stringify(settings),
    ];
    for (const text of shown) expect(text).not.toMatch(/-secret/);
  });

  test("are in no error, also where one is given as a flag or as a file's content", () => {
    const secret = "hunter2";
    const attempts: readonly (readonly [string[], NodeJS.ProcessEnv])[] = [
      [["--sasl-password", secret], pair],
      [[`--sasl-password=${secret}`], pair],
      [[`--tls=${secret}`], pair],
      [[secret], pair],
      [["--file", "x", "--", secret], pair],
      [["--file", "x"], { BRIDGE_USERS: `[{"username": ${secret}` }],
      [["--file", "x"], { BRIDGE_USERS: `[{"username": "u", "password": ["${secret}"], "rights": []}]` }],
      [["--file", "x"], { BRIDGE_USERS: `[{"username": "u", "${secret}": 1, "rights": []}]` }],
      [["--file", "x"], { BRIDGE_USERS: `[{"username": "u:${secret}", "password": "p", "rights": []}]` }],
      [["--file", "x"], { BRIDGE_USERNAME: "u", BRIDGE_PASSWORD: `${secret} ü` }],
      [["--file", "x", "--users-file", file("users.json", secret)], {}],
      [["--kafka", "a:1", "--sasl", "OAUTHBEARER", "--sasl-token-file", file("no-token", " ")], pair],
    ];
    for (const [args, env] of attempts) {
      const message = refusal(args, env);
      expect(message).not.toBe("");
      expect(message).not.toContain(secret);
    }
  });
});

describe("users", () => {
  const users = (list: unknown) => () => read(["--file", "x"], { BRIDGE_USERS: JSON.stringify(list) });
  const digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

  test("come from a variable or a file, never from two places", () => {
    const list = [
      { username: "a", passwordSha256: digest, rights: [{ verbs: ["fetch"], topics: ["auction.*"] }] },
    ];
    const path = file("users.json", JSON.stringify(list));
    for (const settings of [
      users(list)(),
      read(["--file", "x", "--users-file", path], {}),
      read(["--file", "x"], { BRIDGE_USERS_FILE: path }),
    ]) {
      const [user] = settings.users;
      expect(user?.username).toBe("a");
      expect(
        ["fetch", "produce"].map((verb) => user?.rights.allows(verb as "fetch", "auction.bids")),
      ).toEqual([true, false]);
    }
    expect(() => read(["--file", "x", "--users-file", path])).toThrow("Give one of");
    expect(() => read(["--file", "x"], { BRIDGE_USERS: "[]", ...pair })).toThrow("Give one of");
    expect(() => read(["--file", "x"], {})).toThrow("Set BRIDGE_USERNAME.");
    expect(() => read(["--file", "x"], { BRIDGE_PASSWORD: "p" })).toThrow("Set BRIDGE_USERNAME.");
  });

  test.each([
    ["no entries", [], "at least one entry"],
    ["an object", {}, "must be a JSON array"],
    ["no password", [{ username: "a", rights: [] }], "entry 1"],
    ["two passwords", [{ username: "a", password: "p", passwordSha256: digest, rights: [] }], "entry 1"],
    ["half a digest", [{ username: "a", passwordSha256: "5e88", rights: [] }], "entry 1, passwordSha256"],
    [
      "the digest of nothing",
      [
        {
          username: "a",
          passwordSha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          rights: [],
        },
      ],
      "empty password",
    ],
    [
      "an unknown verb",
      [{ username: "a", password: "p", rights: [{ verbs: ["read"], topics: ["*"] }] }],
      "entry 1, rights.0.verbs.0",
    ],
    [
      "a star in the middle",
      [{ username: "a", password: "p", rights: [{ verbs: ["fetch"], topics: ["a*b"] }] }],
      "entry 1, rights.0.topics.0",
    ],
    ["a field that is misspelt", [{ username: "a", password: "p", rights: [], right: [] }], "entry 1"],
    [
      "a name twice",
      [1, 2].map(() => ({ username: "a", password: "p", rights: [] })),
      "names one user twice",
    ],
    [
      "a name with a colon",
      [{ username: "a:b", password: "p", rights: [] }],
      "entry 1: The user name must not contain a colon.",
    ],
  ])("%s is one plain sentence", (_name, list, sentence) => {
    expect(users(list)).toThrow(sentence);
  });
});
