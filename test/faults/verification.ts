/**
 * What must hold at the end of every run. Each function answers the differences it finds, in plain
 * sentences; none means that the run stands.
 */
import { isDeepStrictEqual } from "node:util";
import { topics } from "../../src/topics.ts";
import { checkClock } from "./clock-check.ts";
import { covers } from "./covers.ts";
import type { CoreConstructor, ObjectHost } from "./object-host.ts";
import { compareOutputs, outputRoles, sameContent, withoutRepeats } from "./output-comparison.ts";
import { decode } from "./plain-decoding.ts";
import { PlainModel } from "./plain-model.ts";
import { verifyReplaced } from "./replaced-verification.ts";
import { verifyShortened } from "./shortened-verification.ts";
import { isReplaced, isShortened, replay, topicPrefix } from "./simulation.ts";
import { compareTrail } from "./trail-verification.ts";
import { compareViews } from "./view-comparison.ts";
import type { Run } from "./simulation.ts";

const inputTopics = [topicPrefix + topics.items, topicPrefix + topics.journal];

/** What holds of a run, by what happened in it. */
export function verify(run: Run, core: CoreConstructor): Promise<string[]> {
  if (isReplaced(run)) return verifyReplaced(run);
  return isShortened(run) ? verifyShortened(run, core) : verifyWhole(run, core);
}

/** Compares a run with an in-order run, a rebuild and the plain model. */
async function verifyWhole(run: Run, core: CoreConstructor): Promise<string[]> {
  const journal = run.log.records(topicPrefix + topics.journal);
  const model = PlainModel.of(journal);
  const problems = [...run.host.failures, ...run.history.violations, ...run.edges.violations];
  problems.push(...compareOutputs(model, (role) => run.log.records(topicPrefix + topics[role])));
  problems.push(...compareTold(run, model));
  problems.push(...checkClock(run, model));
  problems.push(...(await compareViews(model, run.host, run.scheduler)));
  problems.push(...(await compareTrail(model, run.log, run.host)));
  const digest = await digestOf(run.host);
  problems.push(...(await compareInOrder(run, core, digest)));
  problems.push(...(await compareRebuild(run, core, model, digest)));
  return problems;
}

/** Hashing is real work off this thread: the virtual clock stands still for it. */
function digestOf(host: ObjectHost): Promise<{ readonly position: number; readonly digest: string }> {
  return host.call((core) => core.digest());
}

/** What a waiting client was told is what the plain model says of its record. */
function compareTold(run: Run, model: PlainModel): string[] {
  const journalOffsets = new Map<number, number>();
  for (const record of run.log.records(topicPrefix + topics.journal)) {
    const event = decode(record);
    if (event.kind !== "opening" || journalOffsets.has(event.opening.itemsOffset)) continue;
    journalOffsets.set(event.opening.itemsOffset, record.offset);
  }
  return run.edges.told.flatMap(({ topic, offset, outcome }) => {
    const inJournal = topic === "journal" ? offset : journalOffsets.get(offset);
    const expected = inJournal === undefined ? undefined : model.outcomes.get(inJournal);
    if (expected !== undefined && covers(outcome, expected)) return [];
    const [is, should] = [JSON.stringify(outcome), JSON.stringify(expected)];
    return [`told of ${topic} ${offset}: ${is}, expected ${should}`];
  });
}

/** The same journal, read in order by a fresh object with settings of its own, into an empty log. */
async function compareInOrder(
  run: Run,
  core: CoreConstructor,
  digest: { readonly position: number; readonly digest: string },
): Promise<string[]> {
  const log = run.log.copy(inputTopics);
  const ends = inputTopics.map((topic) => log.end(topic));
  const other = await replay(log, core, run.scheduler.now);
  const problems = [...other.host.failures, ...other.history.violations];
  if (!isDeepStrictEqual(await digestOf(other.host), digest)) {
    problems.push("the in-order run has another digest");
  }
  if (
    !isDeepStrictEqual(
      inputTopics.map((topic) => log.end(topic)),
      ends,
    )
  ) {
    problems.push("the in-order run wrote to the journal");
  }
  for (const role of outputRoles) {
    const topic = topicPrefix + topics[role];
    const calm = log.records(topic);
    const faulty = withoutRepeats(run.log.records(topic), []);
    const same = faulty.every((record, index) => sameContent(record, calm[index]));
    if (calm.length !== faulty.length || !same) problems.push(`the in-order run's ${role} differ`);
  }
  other.host.disk.close();
  return problems;
}

/** After a wipe the object reads the log again, reaches the same state and sends nothing. */
async function compareRebuild(
  run: Run,
  core: CoreConstructor,
  model: PlainModel,
  digest: { readonly position: number; readonly digest: string },
): Promise<string[]> {
  const all = Object.values(topics).map((topic) => topicPrefix + topic);
  const log = run.log.copy(all);
  const again = await replay(log, core, run.scheduler.now);
  const problems = [...again.host.failures];
  if (!isDeepStrictEqual(await digestOf(again.host), digest)) {
    problems.push("the rebuild has another digest");
  }
  problems.push(...(await compareTrail(model, log, again.host)).map((problem) => `the rebuild's ${problem}`));
  const written = all.filter((topic) => log.end(topic) !== run.log.end(topic));
  if (written.length > 0) problems.push(`the rebuild wrote to ${written.join(", ")}`);
  again.host.disk.close();
  return problems;
}
