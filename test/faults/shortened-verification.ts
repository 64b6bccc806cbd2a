/**
 * What must hold of a run whose log deleted from its start, also what was not read. A rebuild has
 * another history than the life before, so that what is held is less: the state is the plain model's
 * over what this storage's life has read, every lost stretch was told by an event, and of the outputs
 * none is lost and none known to be in the log is sent again.
 */
import { isDeepStrictEqual } from "node:util";
import type { LogRecord } from "../../src/kafka/port.ts";
import { eventTypes, topics } from "../../src/topics.ts";
import { checkClock } from "./clock-check.ts";
import type { CoreConstructor, ObjectHost } from "./object-host.ts";
import { differs } from "./output-comparison.ts";
import { header } from "./plain-decoding.ts";
import { PlainModel } from "./plain-model.ts";
import type { OutputTopic } from "./plain-model.ts";
import { sequenceOf } from "./produce-history.ts";
import { replay, topicPrefix } from "./simulation.ts";
import type { Run } from "./simulation.ts";
import { sentBeforeOf } from "./stored.ts";
import { compareViews } from "./view-comparison.ts";

const outputTopics: readonly OutputTopic[] = ["completed", "notifications", "deadLetters"];
const journalTopic = topicPrefix + topics.journal;

interface Gap {
  readonly from: number;
  readonly to: number;
}

export async function verifyShortened(run: Run, core: CoreConstructor): Promise<string[]> {
  const { log, host, scheduler, history, edges } = run;
  const own = ownOutputs(run, host);
  const gaps = own.deadLetters.map(journalGapOf).filter((gap) => gap !== undefined);
  const read = log
    .history(journalTopic)
    .filter(({ offset }) => !gaps.some(({ from, to }) => from <= offset && offset < to));
  const model = PlainModel.of(read);
  const problems = [...host.failures, ...history.violations, ...edges.violations];
  problems.push(...checkOutputs(run, own, model));
  problems.push(...(await checkLosses(run, gaps, model)));
  problems.push(...checkItems(run));
  problems.push(...checkClock(run, model));
  problems.push(...(await compareViews(model, host, scheduler)));
  problems.push(...(await checkRebuilds(run, core)));
  return problems;
}

/** Outputs of this storage's life, without repetitions: those before carry lower sequences. */
function ownOutputs({ log }: Run, host: ObjectHost): Record<OutputTopic, LogRecord[]> {
  const before = sentBeforeOf(host.disk);
  const of = (role: OutputTopic): LogRecord[] => {
    const { byPlace, sequence } = before[role];
    const bySequence = new Map<number, LogRecord>();
    for (const record of log.records(topicPrefix + topics[role])) {
      const own = sequenceOf(record) ?? 0;
      if (own > (byPlace ? sequence : 0)) bySequence.set(own, record);
    }
    return [...bySequence].toSorted(([one], [other]) => one - other).map(([, record]) => record);
  };
  return { completed: of("completed"), notifications: of("notifications"), deadLetters: of("deadLetters") };
}

function journalGapOf(record: LogRecord): Gap | undefined {
  if (header(record, "ce_type") !== eventTypes.logGap) return undefined;
  const { topic, from, to } = JSON.parse(record.value) as Gap & { readonly topic: string };
  return topic === journalTopic ? { from, to } : undefined;
}

/** They are the last ones that the model decides, dense, and begin where the ones before them end. */
function checkOutputs(run: Run, own: Record<OutputTopic, LogRecord[]>, model: PlainModel): string[] {
  const before = sentBeforeOf(run.host.disk);
  return outputTopics.flatMap((role) => {
    const { byPlace, place, sequence } = before[role];
    const problems: string[] = [];
    const first = byPlace ? sequence + 1 : 1;
    const gapsOrOthers = own[role];
    if (gapsOrOthers.some((record, index) => sequenceOf(record) !== first + index)) {
      problems.push(`${role}: sequences are not dense from ${first} on`);
    }
    const decided = gapsOrOthers.filter((record) => journalGapOf(record) === undefined);
    const expected = model.outputs.filter((output) => output.topic === role);
    const behind = byPlace && place !== null ? place.offset : -1;
    const required = expected.filter(({ offset }) => offset > behind).length;
    const allowed = expected.filter(({ offset }) => offset >= behind).length;
    // A gap's event of the items is sent again: its id does not say where in the journal it was told.
    const repeated = decided.length - allowed;
    if (decided.length < required) problems.push(`${role}: ${decided.length} outputs, expected ${required}`);
    if (repeated > 0 && role !== "deadLetters") problems.push(`${role}: ${repeated} outputs too many`);
    for (const [index, output] of expected.slice(expected.length - required).entries()) {
      const record = decided[decided.length - required + index];
      const difference = record === undefined ? "missing" : differs(record, output);
      if (difference !== null) return [...problems, `${role} of ${output.offset}: ${difference}`];
    }
    return problems;
  });
}

/** What the object counts as lost is what its events say, and what the model knows from openings. */
async function checkLosses(run: Run, gaps: readonly Gap[], model: PlainModel): Promise<string[]> {
  const status = await run.scheduler.finish(run.host.call((core) => core.status()));
  const lost = gaps.reduce((sum, { from, to }) => sum + to - from, model.lostOffsets);
  return status.lostOffsets === lost ? [] : [`${status.lostOffsets} offsets lost, ${lost} told`];
}

/** Every item before the last one opened was opened, or an opening told that it was deleted unread. */
function checkItems({ log }: Run): string[] {
  const openings = log.history(journalTopic).filter(isOpening).map(openingOf);
  const opened = new Set(openings.map(({ itemsOffset }) => itemsOffset));
  const told = openings.map(({ itemsGap }) => itemsGap).filter((gap) => gap !== undefined);
  const missing = log
    .history(topicPrefix + topics.items)
    .filter((item) => item.offset < Math.max(-1, ...opened) && !log.compacted.has(item))
    .filter(({ offset }) => !opened.has(offset))
    .filter(({ offset }) => !told.some(({ from, to }) => from <= offset && offset < to));
  return missing.map(({ offset }) => `nothing tells what became of item ${offset}`);
}

function isOpening(record: LogRecord): boolean {
  return header(record, "ce_type") === eventTypes.itemOpened;
}

function openingOf(record: LogRecord): { readonly itemsOffset: number; readonly itemsGap?: Gap } {
  return JSON.parse(record.value) as { readonly itemsOffset: number; readonly itemsGap?: Gap };
}

/** Two rebuilds from what is left agree, and are what the plain model says of what is left. */
async function checkRebuilds(run: Run, core: CoreConstructor): Promise<string[]> {
  const all = Object.values(topics).map((topic) => topicPrefix + topic);
  const problems: string[] = [];
  const digests: unknown[] = [];
  for (let count = 0; count < 2; count += 1) {
    const log = run.log.copy(all);
    const { host, history } = await replay(log, core, run.scheduler.now);
    problems.push(...host.failures, ...history.violations);
    digests.push(await host.call((object) => object.digest()));
    // What comes due by the clock only since the run may be ticked anew.
    const model = PlainModel.of(log.records(journalTopic));
    const { journal } = await host.call((object) => object.status());
    const end = log.tells ? log.end(journalTopic) : (log.records(journalTopic).at(-1)?.offset ?? -1) + 1;
    if (journal.position < end) problems.push("a rebuild stands still");
    problems.push(...repeatedIds(run, log.records(topicPrefix + topics.notifications)));
    problems.push(...repeatedIds(run, log.records(topicPrefix + topics.completed)));
    if (count === 0) problems.push(...(await compareViews(model, host, run.scheduler)));
    host.disk.close();
  }
  if (!isDeepStrictEqual(digests[0], digests[1])) problems.push("two rebuilds have different digests");
  return problems;
}

/** A rebuild sends no decision again whose output the log has. */
function repeatedIds({ log }: Run, records: readonly LogRecord[]): string[] {
  const topic = records[0]?.topic ?? "";
  const before = log.records(topic);
  const known = new Set(before.map((record) => header(record, "ce_id")));
  return records
    .slice(before.length)
    .filter((record) => known.has(header(record, "ce_id")))
    .map((record) => `a rebuild sent ${header(record, "ce_id")} again to ${topic}`);
}
