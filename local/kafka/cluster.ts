/** A real Apache Kafka on this machine, for development and for tests. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "./certificate.ts";
import { classArchive } from "./class-archive.ts";
import { findJava } from "./java.ts";
import { kafkaLibraries } from "./libraries.ts";
import { KafkaNode } from "./node.ts";
import { freePorts } from "./ports.ts";
import type { ListenerName, SecureListener } from "./server-properties.ts";

export interface KafkaOptions {
  /** Brokers, each a controller as well: 1 unless given. Three replicate to three, two in sync. */
  readonly nodes?: 1 | 3;
  /** Kept after `stop`, in order. Without one the log is in a directory that goes with the cluster. */
  readonly directory?: string;
  /** Of the first node's plain listener; a free one unless given. */
  readonly port?: number;
  /** Listeners beside the plain one; SASL takes PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. */
  readonly listeners?: readonly SecureListener[];
  /** Passwords of the SASL listeners' users, without commas. */
  readonly users?: Readonly<Record<string, string>>;
  /** Settings of `server.properties`, over those made here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of each node: 384 unless given. */
  readonly heapMegabytes?: number;
  /** Compiled for speed rather than for a quick start, as a measurement needs it. */
  readonly optimised?: boolean;
  /** Hears of a download. Standard error unless given. */
  readonly tell?: (line: string) => void;
}

export interface KafkaCluster {
  /** `host:port` of each node's plain listener. */
  readonly bootstrap: readonly string[];
  /** The same for every listener. */
  readonly listeners: Readonly<Partial<Record<ListenerName, readonly string[]>>>;
  /** Certificate that a client of the TLS listeners has to trust, in PEM; absent without any. */
  readonly authority?: string;
  /** PEM file with the brokers' private key and certificate, which also serves as a client's. */
  readonly certificateFile?: string;
  readonly clusterId: string;
  readonly nodes: readonly KafkaNode[];
  /** Ends all nodes, and removes the directory unless it was given. */
  stop(): Promise<void>;
}

/**
 * Starts Kafka and waits until it answers. It ends with this process, however that dies.
 * @throws {PlainError} when Java, Maven or openssl is missing or the download fails.
 * @throws {Error} with what the broker printed when it does not start.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const { directory, remove } = directoryOf(options.directory);
  try {
    const cluster = await prepareCluster(options, directory);
    const { nodes } = cluster;
    const end = remove
      ? () => Promise.all(nodes.map((node) => node.kill()))
      : () => Promise.all(nodes.map((node) => node.stop()));
    const stop = async (): Promise<void> => {
      await end();
      if (remove) rmSync(directory, { recursive: true, force: true });
    };
    await startAll(nodes, stop);
    return { ...cluster, stop };
  } catch (error) {
    if (remove) rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function directoryOf(given: string | undefined): { directory: string; remove: boolean } {
  if (given === undefined) return { directory: mkdtempSync(join(tmpdir(), "gavel-kafka-")), remove: true };
  mkdirSync(given, { recursive: true, mode: 0o700 });
  return { directory: given, remove: false };
}

async function startAll(nodes: readonly KafkaNode[], stop: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(nodes.map((node) => node.start(nodes.length)));
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepareCluster(options: KafkaOptions, directory: string): Promise<Omit<KafkaCluster, "stop">> {
  const java = findJava(process.env);
  const libraries = await kafkaLibraries(process.env, options.tell ?? ((line) => console.error(line)));
  const heapMegabytes = options.heapMegabytes ?? 384;
  const jvm = { java, libraries, heapMegabytes, optimised: options.optimised ?? false };
  const archive = await classArchive(jvm);
  const layout = await layOut(options);
  const certificate = needsCertificate(options) ? makeCertificate(directory) : undefined;
  const clusterId = knownClusterId(directory) ?? randomClusterId();
  const nodes = layout.map(
    ({ id, ports }) =>
      new KafkaNode({
        directory: join(directory, String(id)),
        clusterId,
        properties: {
          id,
          ports,
          controllers: new Map(layout.map((node) => [node.id, node.controller])),
          certificate: certificate?.file,
          users: options.users ?? {},
          settings: options.settings ?? {},
        },
        jvm: { ...jvm, archive },
        removedWithParent: options.directory === undefined ? directory : undefined,
      }),
  );
  await Promise.all(nodes.map((node) => node.prepare()));
  const addresses = (name: ListenerName): string[] => layout.map(({ ports }) => `127.0.0.1:${ports[name]}`);
  const names = namesOf(options);
  return {
    bootstrap: addresses("PLAINTEXT"),
    listeners: Object.fromEntries(names.map((name) => [name, addresses(name)])),
    ...(certificate && { authority: certificate.authority, certificateFile: certificate.file }),
    clusterId,
    nodes,
  };
}

interface Place {
  readonly id: number;
  readonly controller: number;
  readonly ports: Readonly<Partial<Record<ListenerName, number>>>;
}

/** Ids from 1, and a port for each listener of each node. */
async function layOut(options: KafkaOptions): Promise<Place[]> {
  const names = namesOf(options);
  const count = options.nodes ?? 1;
  const free = await freePorts(count * (names.length + 1));
  if (options.port !== undefined) free[1] = options.port;
  return Array.from({ length: count }, (_, index) => {
    const [controller = 0, ...ports] = free.slice(index * (names.length + 1));
    return {
      id: index + 1,
      controller,
      ports: Object.fromEntries(names.map((name, place) => [name, ports[place]])),
    };
  });
}

function namesOf({ listeners = [] }: KafkaOptions): ListenerName[] {
  return ["PLAINTEXT", ...listeners];
}

function needsCertificate({ listeners = [] }: KafkaOptions): boolean {
  return listeners.some((name) => name.endsWith("SSL"));
}

/** 128 bits in URL-safe base64, as Kafka writes ids; it takes none that begins with a hyphen. */
export function randomClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? randomClusterId() : id;
}

/** The id that an earlier start gave the log in this directory. */
function knownClusterId(directory: string): string | undefined {
  const file = join(directory, "1", "data", "meta.properties");
  if (!existsSync(file)) return undefined;
  return /^cluster\.id=(.+)$/m.exec(readFileSync(file, "utf8"))?.[1];
}
