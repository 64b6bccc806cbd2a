/** What must hold of a run of the simulation of functions, seen from outside: the receiver and the log. */
import type { LogRecord } from "../../../src/kafka/port.ts";
import { header } from "../plain-decoding.ts";
import { sequenceOf } from "../produce-history.ts";
import { type FunctionRun, laneOf, topic, topicPrefix } from "./simulation.ts";

interface Ended {
  readonly function: string;
  readonly offset: number;
  readonly at: number;
}

/** Everything that is wrong with a run; empty where nothing is. */
export function verifyFunctions(run: FunctionRun): string[] {
  const ended = deadLettersOf(run);
  return [
    ...run.receiver.violations,
    ...run.history.violations,
    ...run.host.failures,
    ...verifyEnds(run, ended),
    ...verifyOrder(run),
    ...verifyIds(run),
    ...verifyOutputs(run),
  ];
}

/** Outputs as whoever reads them takes them: each sequence once, the first time that it comes. */
function outputsOf({ log }: FunctionRun, name: string): LogRecord[] {
  let highest = 0;
  return log.records(topicPrefix + name).filter((record) => {
    const sequence = sequenceOf(record) ?? 0;
    if (sequence <= highest) return false;
    highest = sequence;
    return true;
  });
}

function deadLettersOf(run: FunctionRun): Ended[] {
  return outputsOf(run, "auction.dead-letters").map((record) => {
    const data = JSON.parse(record.value) as { function: string; offset: number };
    return { function: data.function, offset: data.offset, at: record.timestamp };
  });
}

/** Each record that a function wants is done or a dead letter, never neither; a dead letter is called no more. */
function verifyEnds(run: FunctionRun, ended: readonly Ended[]): string[] {
  const problems: string[] = [];
  for (const { name } of run.functions) {
    const done = new Set(
      run.receiver.decisions
        .filter((decision) => decision.function === name && decision.verdict === "done")
        .map(({ offset }) => offset),
    );
    const letters = ended.filter((letter) => letter.function === name);
    const lost = new Map(letters.map(({ offset, at }) => [offset, at]));
    if (lost.size !== letters.length) problems.push(`${name}: a record is a dead letter twice`);
    for (const record of run.log.records(topic)) {
      const isWanted = header(record, "ce_type") !== "sim.unwanted.v1" && !run.repetitions.has(record.offset);
      const isOver = done.has(record.offset) || lost.has(record.offset);
      if (isWanted && !isOver) problems.push(`${name}: ${record.offset} is neither done nor a dead letter`);
      if (!isWanted && isOver) problems.push(`${name}: ${record.offset} is nothing to be called for`);
    }
    for (const call of run.receiver.calls) {
      if (call.function !== name) continue;
      for (const { offset } of call.records)
        if ((lost.get(offset) ?? Number.POSITIVE_INFINITY) < call.beganAt)
          problems.push(`${name}: ${offset} is called after it was a dead letter`);
    }
  }
  return problems;
}

/** In each lane first decisions are in offset order; what comes again was decided before. */
function verifyOrder({ functions, receiver }: FunctionRun): string[] {
  const problems: string[] = [];
  const lane = laneOf(functions);
  const highest = new Map<string, number>();
  const decided = new Set<string>();
  for (const decision of receiver.decisions) {
    const { function: name, offset } = decision;
    const record = `${name} ${offset}`;
    if (decided.has(record)) continue;
    decided.add(record);
    const place = `${name} ${lane(name, decision)}`;
    if (offset < (highest.get(place) ?? -1))
      problems.push(`${place}: ${offset} comes after ${highest.get(place)}`);
    highest.set(place, offset);
  }
  return problems;
}

/** A record has one id at each of its attempts, and none of two functions. */
function verifyIds({ receiver }: FunctionRun): string[] {
  return receiver.calls.flatMap(({ function: name, records }) =>
    records.flatMap(({ id, offset }) =>
      id === `${topic}/3/${offset}/${name}` ? [] : [`${name} ${offset} has the id ${id}`],
    ),
  );
}

/** What a function made is in its topic once for each record that it finished, under one id. */
function verifyOutputs(run: FunctionRun): string[] {
  const made = outputsOf(run, "auction.validated").map((record) => header(record, "ce_id"));
  const ids = new Set(made);
  const problems = ids.size === made.length ? [] : ["an output is in its topic twice"];
  const ended = new Set(deadLettersOf(run).map((letter) => `${letter.function} ${letter.offset}`));
  for (const { function: name, offset, verdict } of run.receiver.decisions) {
    if (verdict !== "done" || ended.has(`${name} ${offset}`)) continue;
    if (!ids.has(`${topic}/3/${offset}/${name}/1`))
      problems.push(`${name}: ${offset} is done without its output`);
  }
  return problems;
}
