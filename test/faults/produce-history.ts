/**
 * Watches every produce of the object: one in flight per topic and kind of record, and no output
 * sent again that the object could know to be in the log.
 */
import type { ProduceRecord } from "../../src/kafka/port.ts";
import type { Life } from "./life.ts";
import type { MemoryLog } from "./memory-log.ts";
import { header } from "./plain-decoding.ts";

export function sequenceOf(record: Pick<ProduceRecord, "headers">): number | undefined {
  const text = record.headers.find(({ key }) => key === "gavel_sequence")?.value;
  return text === undefined ? undefined : Number(text);
}

/** Outputs of a topic are in one order; openings and ticks, both in the journal, owe each other none. */
function queueOf(record: ProduceRecord): string {
  const isOutput = sequenceOf(record) !== undefined;
  return isOutput ? record.topic : `${record.topic} (${header(record, "ce_type")})`;
}

export class ProduceHistory {
  readonly violations: string[] = [];
  readonly #log: MemoryLog;
  readonly #inFlight = new Map<string, Life>();
  /** Per topic, the highest sequence that the log held when the storage was last wiped. */
  readonly #beforeWipe = new Map<string, number>();
  /** Per topic, the highest sequence that a life of the object was told to be in the log. */
  readonly #acknowledged = new Map<string, { life: Life; sequence: number }>();

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  /** Notes a produce; answers what to call, with whether all was acknowledged, at its end. */
  begin(records: readonly ProduceRecord[], life: Life): (acknowledged: boolean) => void {
    const queues = [...new Set(records.map(queueOf))];
    for (const queue of queues) {
      const other = this.#inFlight.get(queue);
      if (other === life) this.violations.push(`two produces in flight to ${queue}`);
      this.#inFlight.set(queue, life);
    }
    for (const record of records) this.#check(record, life);
    return (acknowledged) => {
      for (const queue of queues) {
        if (this.#inFlight.get(queue) === life) this.#inFlight.delete(queue);
      }
      if (acknowledged) for (const record of records) this.#acknowledge(record, life);
    };
  }

  wiped(): void {
    for (const topic of this.#log.topics()) {
      const sequences = this.#log.records(topic).map((record) => sequenceOf(record) ?? 0);
      this.#beforeWipe.set(topic, Math.max(0, ...sequences));
    }
  }

  #check(record: ProduceRecord, life: Life): void {
    const sequence = sequenceOf(record);
    if (sequence === undefined) return;
    const name = `${record.topic} ${sequence} (${header(record, "ce_type")})`;
    if (sequence <= (this.#beforeWipe.get(record.topic) ?? 0)) {
      this.violations.push(`sent again after a wipe: ${name}`);
    }
    const known = this.#acknowledged.get(record.topic);
    if (known?.life === life && sequence <= known.sequence) {
      this.violations.push(`sent again after its acknowledgement: ${name}`);
    }
  }

  #acknowledge(record: ProduceRecord, life: Life): void {
    const sequence = sequenceOf(record);
    const known = this.#acknowledged.get(record.topic);
    if (sequence === undefined || (known?.life === life && known.sequence >= sequence)) return;
    this.#acknowledged.set(record.topic, { life, sequence });
  }
}
