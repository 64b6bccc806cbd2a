import { Gauge, Histogram, Registry } from "prom-client";
import { Tally } from "./tally.ts";

/** What is measured when it is asked for. */
export interface Levels {
  readonly requests: () => number;
  readonly pendingBytes: () => number;
  readonly problems: () => number;
}

/** Seconds: a produce takes a few milliseconds, a fetch waits up to half a minute. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The bridge's figures, in Prometheus's text format (version 0.0.4). */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#tally("requests_total", "Requests answered.", "verb", "status");
  readonly #records = this.#tally("records_total", "Records written (in) and read (out).", "direction");
  readonly #bytes = this.#tally("bytes_total", "Bytes of bodies (in) and answers (out).", "direction");
  readonly #brokerErrors = this.#tally("broker_errors_total", "Errors that brokers answered.", "error");
  readonly #seconds = new Histogram({
    name: "gavel_bridge_request_duration_seconds",
    help: "Time from a request's head to its answer.",
    labelNames: ["verb"],
    buckets: BUCKETS,
    registers: [this.#registry],
  });

  constructor() {
    this.#gauge("resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss());
    // A rate over a counter that is not there yet cannot tell its first event.
    for (const direction of ["in", "out"] as const) {
      this.records(direction, 0);
      this.bytes(direction, 0);
    }
  }

  /** Says where the levels are read; once. */
  measure(levels: Levels): void {
    this.#gauge("requests_in_flight", "Requests whose answer is not taken yet.", levels.requests);
    this.#gauge("bytes_in_flight", "Bytes of bodies and answers in work.", levels.pendingBytes);
    this.#gauge("log_problems", "What is wrong with the log now.", levels.problems);
  }

  answered(verb: string, status: number, seconds: number): void {
    this.#requests.add(1, verb, String(status));
    this.#seconds.observe({ verb }, seconds);
  }

  records(direction: "in" | "out", count: number): void {
    this.#records.add(count, direction);
  }

  bytes(direction: "in" | "out", count: number): void {
    this.#bytes.add(count, direction);
  }

  /** `error`: Kafka's name of it, such as NOT_ENOUGH_REPLICAS. */
  brokerError(error: string): void {
    this.#brokerErrors.add(1, error);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #tally(name: string, help: string, ...labelNames: [string, string?]): Tally {
    return new Tally(this.#registry, `gavel_bridge_${name}`, help, labelNames);
  }

  #gauge(name: string, help: string, level: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `gavel_bridge_${name}`,
      help,
      registers: [this.#registry],
      collect: () => gauge.set(level()),
    });
  }
}
