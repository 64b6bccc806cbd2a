import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigResourceTypes } from "@platformatic/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { askCluster } from "../../local/kafka/answering.ts";
import { freePorts, isFree } from "../../local/kafka/ports.ts";
import { topics } from "../../src/topics.ts";
import { adminOf } from "../support/kafka-log.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = join(tmpdir(), `gavel-npm-kafka-${process.pid}`);
beforeAll(() => {
  mkdirSync(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const running: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => ended(child)));
});

/** Ends a child in order, if it still runs. @returns its exit code. */
async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const [code] = (await exit) as [number | null];
  return code;
}

interface Started {
  readonly child: ChildProcess;
  readonly output: string;
}

/** The real `npm run kafka`, once it says that it is ready. */
async function npmRunKafka(environment: Readonly<Record<string, string>>): Promise<Started> {
  const child = spawn("npm", ["run", "--silent", "kafka"], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  for await (const text of child.stdout.setEncoding("utf8")) {
    output += String(text);
    if (output.includes("Ctrl-C ends it")) return { child, output };
  }
  throw new Error(`npm run kafka ended:\n${output}`);
}

/** Runs it where it is expected to end by itself. */
function refused(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["local/kafka/run.ts", ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

async function settingsOf(address: string, topic: string): Promise<Map<string, string | null | undefined>> {
  const admin = adminOf([address]);
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }];
  const [described] = await admin.describeConfigs({ resources });
  await admin.close();
  return new Map(described?.configs.map(({ name, value }) => [name, value]));
}

describe("npm run kafka", () => {
  it("has a broker ready with the topology's topics, ends in order, and goes on with its log", async () => {
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const environment = { KAFKA_PORT: String(port), GAVEL_HOME: join(folder, "kept") };
    const { child, output } = await npmRunKafka({ ...environment, PARTITION_COUNT: "3" });
    expect(output).toContain(`npm start -- --kafka ${address}\n`);

    const first = await askCluster([address]);
    const admin = adminOf([address]);
    const names = Object.values(topics);
    expect((await admin.listTopics()).toSorted()).toEqual(names.toSorted());
    const metadata = await admin.metadata({ topics: names, forceUpdate: true });
    for (const name of names) expect(metadata.topics.get(name)?.partitionsCount).toBe(3);
    await admin.close();
    for (const name of [topics.items, topics.journal]) {
      const settings = await settingsOf(address, name);
      expect(Object.fromEntries(settings)).toMatchObject({
        "retention.ms": "-1",
        "message.timestamp.type": "CreateTime",
        "cleanup.policy": "delete",
      });
    }

    expect(await ended(child)).toBe(0);
    expect(await isFree(port)).toBe(true);
    await npmRunKafka({ ...environment, PARTITION_COUNT: "3" });
    expect((await askCluster([address])).id).toBe(first.id);
  });

  it("says in one sentence that its topics have another partition count, and leaves no broker", async () => {
    const [port = 0] = await freePorts(1);
    const environment = { KAFKA_PORT: String(port), GAVEL_HOME: join(folder, "counted") };
    const { child } = await npmRunKafka({ ...environment, PARTITION_COUNT: "2" });
    await ended(child);
    const { status, stderr } = refused({ ...environment, PARTITION_COUNT: "4" });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^gavel: Topic auction\.\S+ has 2 partitions, not 4\.\n/);
    await expect.poll(() => isFree(port), { timeout: 10_000 }).toBe(true);
  });

  it("takes its broker with it when it is killed with -9", async () => {
    const [port = 0] = await freePorts(1);
    const child = spawn(process.execPath, ["local/kafka/run.ts"], {
      cwd: root,
      env: { ...process.env, KAFKA_PORT: String(port), GAVEL_HOME: join(folder, "killed") },
      stdio: "ignore",
    });
    await expect.poll(() => isFree(port), { timeout: 60_000 }).toBe(false);
    child.kill("SIGKILL");
    await expect.poll(() => isFree(port), { timeout: 10_000 }).toBe(true);
  });

  it("says in one sentence that its port is in use", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as { readonly port: number };
    const { status, stderr } = refused({ KAFKA_PORT: String(port), GAVEL_HOME: join(folder, "squat") });
    squatter.close();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `gavel: port ${port} is in use. Free it, or choose another with KAFKA_PORT.\n`,
    });
  });

  it("refuses what it does not know in one sentence, and explains itself with --help", () => {
    expect(refused({}, "--unknown").stderr).toMatch(/^gavel: .+ Try: npm run kafka -- --help\n$/);
    expect(refused({ KAFKA_PORT: "nine" }).stderr).toMatch(/^gavel: KAFKA_PORT is .+\n$/);
    const help = refused({}, "--help");
    expect(help.status).toBe(0);
    for (const word of ["KAFKA_PORT", "GAVEL_HOME", "TOPIC_PREFIX"]) expect(help.stdout).toContain(word);
  });
});

/**
 * No container engine can be had where these tests run. A program of Docker's name stands in for it:
 * it notes what it is told, and its `run` hands connections on to the real broker of these tests.
 */
function standInForDocker(directory: string): string {
  mkdirSync(directory);
  const script = `#!${process.execPath}
    const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
    const { connect, createServer } = require("node:net");
    const [command, ...args] = process.argv.slice(2);
    appendFileSync("${directory}/calls", JSON.stringify([command, ...args]) + "\\n");
    if (command === "stop") process.kill(Number(readFileSync("${directory}/pid", "utf8")));
    if (command === "run") {
      writeFileSync("${directory}/pid", String(process.pid));
      const [, port] = /127\\.0\\.0\\.1:(\\d+):/.exec(args.join(" "));
      createServer((client) => {
        const broker = connect(${inject("kafka").bootstrap[0]?.split(":")[1]}, "127.0.0.1");
        for (const end of [client, broker]) end.on("error", () => undefined);
        client.pipe(broker).pipe(client);
      }).listen(Number(port), "127.0.0.1");
    }
  `;
  writeFileSync(join(directory, "docker"), script, { mode: 0o755 });
  return join(directory, "calls");
}

describe("npm run kafka without Java", () => {
  const withoutJava = { JAVA_HOME: join(folder, "nowhere") };

  it("says in one sentence what it takes, where Docker does not run either", () => {
    const directory = join(folder, "broken-docker");
    mkdirSync(directory);
    writeFileSync(join(directory, "docker"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const path = `${directory}:${process.env["PATH"]}`;
    const { status, stderr } = refused({ ...withoutJava, PATH: path, GAVEL_HOME: join(folder, "none") });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^gavel: a Kafka broker needs Java 17 or newer, .+ Docker, .+ does not run here either\.\n$/,
    );
  });

  it("runs Apache's image in Docker, on loopback, with a volume of the home's own, and ends it in order", async () => {
    const calls = standInForDocker(join(folder, "docker"));
    const [port = 0] = await freePorts(1);
    const { child, output } = await npmRunKafka({
      ...withoutJava,
      PATH: `${dirname(calls)}:${process.env["PATH"]}`,
      KAFKA_PORT: String(port),
      GAVEL_HOME: join(folder, "in-docker"),
      TOPIC_PREFIX: "in-docker.",
    });
    expect(output).toContain("The broker runs in Docker instead.");
    expect(await ended(child)).toBe(0);
    const told = readFileSync(calls, "utf8").trim().split("\n");
    const [info, remove, run, stop] = told.map((line) => JSON.parse(line) as string[]);
    expect(info).toEqual(["info"]);
    const name = remove?.at(-1) ?? "";
    expect(remove).toEqual(["rm", "--force", name]);
    expect(run?.at(-1)).toBe("apache/kafka:4.4.0");
    expect(run).toContain(`127.0.0.1:${port}:${port}`);
    expect(run).toContain(`${name}:/var/lib/kafka/data`);
    expect(run).toContain(`KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:${port}`);
    expect(run).toContain("KAFKA_AUTO_CREATE_TOPICS_ENABLE=false");
    expect(stop).toEqual(["stop", name]);
    // Kept beside the volume: a log that is wiped is another cluster's.
    expect(existsSync(join(folder, "in-docker", "kafka", "docker-cluster-id"))).toBe(true);
  });
});

describe("npm start -- --kafka", () => {
  it("refuses in one sentence a home that was made from another cluster", () => {
    const home = join(folder, "bound");
    mkdirSync(home);
    writeFileSync(join(home, "log.json"), '{"kind":"kafka","clusterId":"another"}');
    const { bootstrap, clusterId } = inject("kafka");
    const args = ["local/start.ts", "--kafka", bootstrap.join(",")];
    const environment = { ...process.env, GAVEL_HOME: home, PORT: "0", BRIDGE_PORT: "0" };
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: root,
      env: environment,
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^gavel: .+ from the Kafka cluster another, and not from .+ ${clusterId}\\. Set GAVEL_HOME .+\\n$`,
      ),
    );
  });
});
