import { describeError, type Logger } from "../../src/lib/log.ts";
import { Metrics } from "./metrics.ts";
import { RateBound } from "./rate-bound.ts";

/** Of each kind, ten lines in ten seconds. */
const MOST_LINES = 10;
const STRETCH_MS = 10_000;
/** Frames of a defect's stack that are logged. */
const FRAMES = 5;

/** Answers that belong to the protocol's way of working: counted, and no lines. */
const everyday: ReadonlySet<string> = new Set([
  "MEMBER_ID_REQUIRED",
  "OFFSET_OUT_OF_RANGE",
  "REBALANCE_IN_PROGRESS",
  "TOPIC_ALREADY_EXISTS",
]);

/** What operators learn of the bridge: its figures, and its lines. */
export class Telemetry {
  readonly metrics = new Metrics();
  readonly log: Logger;
  readonly #bound = new RateBound(MOST_LINES, STRETCH_MS);
  readonly #now: () => number;

  constructor(log: Logger, now: () => number = Date.now) {
    this.log = log;
    this.#now = now;
  }

  /** Neither address nor name is logged: people type passwords where names belong. */
  credentialsRefused(verb: string): void {
    this.#bounded("credentials-refused", "warn", "credentials-refused", { verb });
  }

  /** `error`: Kafka's name of it. */
  brokerError(error: string): void {
    this.metrics.brokerError(error);
    if (!everyday.has(error)) this.#bounded(`broker-error ${error}`, "warn", "broker-error", { error });
  }

  /** What is neither a client's fault nor a failure that the log names. */
  defect(error: unknown): void {
    const frames = error instanceof Error ? (error.stack ?? "").split("\n    at ").slice(1, 1 + FRAMES) : [];
    this.#bounded("defect", "error", "defect", { error: describeError(error), frames });
  }

  #bounded(kind: string, level: "warn" | "error", event: string, fields: Record<string, unknown>): void {
    const leftOut = this.#bound.pass(kind, this.#now());
    if (leftOut !== null) this.log(level, event, leftOut > 0 ? { ...fields, leftOut } : fields);
  }
}
