import type { TopicRole } from "../src/topics.ts";
import { messageOf } from "./problem.ts";

/** What a child is told once, over IPC: no secret shows in a process list or an environment. */
export interface BridgeStart {
  readonly port: number;
  readonly log: LogChoice;
  readonly topics: readonly DeclaredTopic[];
  readonly username: string;
  readonly password: string;
}

/** The log behind the bridge. */
export type LogChoice =
  | { readonly kind: "sqlite"; readonly file: string }
  /** `replicas`: of the topics that are made. */
  | { readonly kind: "kafka"; readonly brokers: readonly string[]; readonly replicas: number };

/** A topic of the topology, as the log has to have it. */
export interface DeclaredTopic {
  readonly role: TopicRole;
  readonly name: string;
  readonly partitions: number;
}

export interface GatewayStart {
  readonly port: number;
  /** Directory of the Worker's bundle and its `worker.json`. */
  readonly bundle: string;
  /** Directory of the SQLite files of the Durable Objects and of the database. */
  readonly objects: string;
  /** Program to start as the Workers runtime. */
  readonly runtime: string;
  /** Variables and secrets that take the place of those in wrangler.toml. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What a child answers. */
export type ChildMessage =
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "failed"; readonly message: string; readonly portInUse: boolean };

export interface RunningService {
  readonly url: string;
  stop(): Promise<void>;
}

/** How long a child finishes what is in flight before it ends anyway. */
const lastWordMs = 3_000;

/**
 * Runs a service as a child of the supervisor: starts it with what the first message says, and
 * ends it at SIGTERM or as soon as the supervisor is gone, which closes the channel however it
 * dies.
 */
export function runAsChild<Start>(
  start: (options: Start) => Promise<RunningService>,
  portInUse: (error: unknown) => boolean,
): void {
  let service: Promise<RunningService> | undefined;
  const end = (): void => {
    setTimeout(() => process.exit(0), lastWordMs).unref();
    const stopped = service?.then((running) => running.stop()).catch(() => undefined);
    void Promise.resolve(stopped).then(() => process.exit(0));
  };
  process.once("SIGTERM", end);
  process.once("disconnect", end);
  process.once("message", (options) => {
    service = start(options as Start);
    service.then(
      ({ url }) => tell({ kind: "ready", url }),
      (error: unknown) => {
        const message = messageOf(error);
        tell({ kind: "failed", message, portInUse: portInUse(error) }, () => process.exit(1));
      },
    );
  });
}

function tell(message: ChildMessage, then?: () => void): void {
  process.send?.(message, undefined, undefined, then);
}
