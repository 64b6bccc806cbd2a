/** Compares what the object tells of recent records with the log and the plain model, however it came there. */
import type { TrailOutputs, TrailStep } from "../../durable-objects/trail/answer.ts";
import { topics } from "../../src/topics.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { ObjectHost } from "./object-host.ts";
import { outputRoles } from "./output-comparison.ts";
import { decode, header } from "./plain-decoding.ts";
import type { PlainModel } from "./plain-model.ts";
import { sequenceOf } from "./produce-history.ts";
import { topicPrefix } from "./simulation.ts";

/** Repetitions of one id that an answer has room for. */
const mostRepetitions = 8;

/** @returns what is wrong with what the object tells of the journal's records, in plain sentences. */
export async function compareTrail(model: PlainModel, log: MemoryLog, host: ObjectHost): Promise<string[]> {
  const problems: string[] = [];
  for (const record of log.records(topicPrefix + topics.journal)) {
    const id = idOf(record);
    const { steps } = await host.call((core) => core.trailOf(id));
    const step = steps.find(({ offset }) => offset === record.offset);
    const problem = problemOf(record, step, steps.length, model, log);
    if (problem !== undefined)
      problems.push(`trail of ${record.offset}: ${problem}: ${JSON.stringify(step)}`);
  }
  return problems;
}

function idOf(record: LogRecord): string {
  const event = decode(record);
  if (event.kind === "opening") return event.opening.listing.id;
  return header(record, "ce_id") ?? "";
}

function problemOf(
  record: LogRecord,
  step: TrailStep | undefined,
  steps: number,
  model: PlainModel,
  log: MemoryLog,
): string | undefined {
  // An item that nobody can read is found by the listing's id, where that can be read.
  if (step === undefined) {
    return steps >= mostRepetitions || decode(record).kind === "undecodable" ? undefined : "it is not found";
  }
  return wrongFate(step, model) ?? wrongOutputs(record, step, log);
}

function wrongFate({ offset, fate, isDuplicate }: TrailStep, model: PlainModel): string | undefined {
  const expected = model.outcomes.get(offset);
  const told = fate === "none" || fate === "waiting" || fate === "dead-lettered" ? undefined : fate;
  const should = expected?.status === "accepted" ? "accepted" : expected?.reason;
  if (told === should && isDuplicate === (expected?.duplicate === true)) return undefined;
  return `expected ${JSON.stringify(expected)}`;
}

function wrongOutputs({ topic, partition, offset }: LogRecord, step: TrailStep, log: MemoryLog) {
  const prefix = `${topic}/${partition}/${offset}/`;
  for (const role of outputRoles) {
    const records = log.records(topicPrefix + topics[role]);
    const own = records.filter((record) => header(record, "ce_id")?.startsWith(prefix));
    const outputs = step.outputs.find((ofTopic) => ofTopic.topic === role);
    const count = new Set(own.map((record) => header(record, "ce_id"))).size;
    if (count !== (outputs?.count ?? 0) - (outputs?.unsent ?? 0)) return `${role} has ${count} of it`;
    if (outputs !== undefined && !leadsTo(outputs, own, records)) return `its ${role} are elsewhere`;
  }
  return undefined;
}

/** What is told of the places is true, and where none is told, nothing lies before where it may be. */
function leadsTo(outputs: TrailOutputs, own: readonly LogRecord[], records: readonly LogRecord[]): boolean {
  const { stretches, notBefore, sequence, count } = outputs;
  const told = stretches.flatMap(({ offset: from, count: length }) =>
    records.filter(({ offset }) => offset >= from && offset < from + length),
  );
  const isOwn = told.every((record) => own.includes(record));
  const sequences = new Set(own.map(sequenceOf));
  const isDense = [...sequences].every(
    (its) => its !== undefined && its >= sequence && its < sequence + count,
  );
  return isOwn && isDense && own.some((record) => record.offset >= notBefore);
}
