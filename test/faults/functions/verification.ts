/** What must hold of a run of the simulation of functions, seen from outside: the receiver and the log. */
import { header } from "../plain-decoding.ts";
import { Deliveries, isOver, type Owed } from "./deliveries.ts";
import { topic } from "./names.ts";
import { madeOf } from "./outputs.ts";
import { type FunctionRun, laneOf } from "./simulation.ts";
import { verifyToldCalls } from "./told-calls.ts";

/** Everything that is wrong with a run; empty where nothing is. */
export function verifyFunctions(run: FunctionRun): string[] {
  const made = madeOf(run);
  const { isDeleted, isOperated } = run.kind;
  return [
    ...run.receiver.violations,
    ...run.history.violations,
    ...run.host.failures,
    ...run.functions.flatMap(({ name }) => {
      const deliveries = new Deliveries(run, name);
      return [
        ...deliveries.problems,
        ...verifyEnds(name, deliveries),
        ...verifyUnwanted(run, name, deliveries),
        ...verifyOutputs(name, deliveries, made),
        ...verifyToldCalls(run, name, deliveries),
      ];
    }),
    // An operator has records decided again, in an order that follows from when.
    ...(isOperated ? [] : verifyOrder(run)),
    ...verifyIds(run),
    ...(run.leftDead > 0 && !isDeleted ? [`${run.leftDead} dead letters cannot be taken back`] : []),
  ];
}

/** Each record that a function wants is done or a dead letter, once for each time that it was to be called for. */
function verifyEnds(name: string, deliveries: Deliveries): string[] {
  const problems: string[] = [];
  for (const owed of deliveries.owed.values()) {
    const { again, ends, isPassed, isWanted, offset } = owed;
    if (ends.length > 1 + again) problems.push(`${name}: ${offset} is a dead letter ${ends.length} times`);
    if (!isWanted || isPassed || isOver(owed) || deliveries.isLost(owed, Number.POSITIVE_INFINITY)) continue;
    problems.push(`${name}: ${offset} is neither done nor a dead letter`);
  }
  return problems;
}

/**
 * What is not selected is not called for, and neither is a repetition: unless the group began again
 * between it and the record that it repeats, or never read that one.
 */
function verifyUnwanted(run: FunctionRun, name: string, deliveries: Deliveries): string[] {
  const unwanted = new Set(
    run.log
      .history(topic)
      .filter((record) => header(record, "ce_type") === "sim.unwanted.v1")
      .map(({ offset }) => offset),
  );
  const begins = run.receiver.history.flatMap((happening) =>
    happening.kind === "change ended" && happening.change.kind === "seek" ? beginOf(happening.change) : [],
  );
  const mayCome = ({ offset, original = offset }: Owed): boolean =>
    begins.some((begin) => original < begin && begin <= offset) ||
    deliveries.gaps.some(({ from, to }) => from <= original && original < to);
  return [...deliveries.owed.values()]
    .filter((owed) => owed.calledAt > 0 || owed.ends.length > 0)
    .filter((owed) => unwanted.has(owed.offset) || (owed.original !== undefined && !mayCome(owed)))
    .map(({ offset }) => `${name}: ${offset} is nothing to be called for`);
}

function beginOf({ answer, offset }: { readonly answer: unknown; readonly offset: number }): number[] {
  if (typeof answer === "object" && answer !== null && "to" in answer) return [Number(answer.to)];
  return answer === "unknown" ? [offset] : [];
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

/** What a function made is in its topic under one id: once for each time that its record was to be called for. */
function verifyOutputs(name: string, deliveries: Deliveries, made: ReadonlyMap<string, number>): string[] {
  const problems: string[] = [];
  for (const owed of deliveries.owed.values()) {
    const { again, doneAt, ends, isPassed, offset } = owed;
    const count = made.get(`${topic}/3/${offset}/${name}/1`) ?? 0;
    if (count > 1 + again) problems.push(`${name}: the output of ${offset} is in its topic ${count} times`);
    if (doneAt === undefined || count > 0) continue;
    // What the object did not hear of came to nothing where the record ended, was left out or was deleted.
    const cameToNothing = isPassed || ends.some((end) => end >= doneAt);
    if (!cameToNothing && !deliveries.isLost(owed, Number.POSITIVE_INFINITY))
      problems.push(`${name}: ${offset} is done without its output`);
  }
  return problems;
}
