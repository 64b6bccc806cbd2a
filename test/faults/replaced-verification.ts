/**
 * What must hold of a run in which a topic was deleted and made again: the object stands still at
 * what the old topic had, says so, and writes nothing any more, also after a restart.
 */
import type { LogRecord } from "../../src/kafka/port.ts";
import { topics } from "../../src/topics.ts";
import { decode } from "./plain-decoding.ts";
import { PlainModel } from "./plain-model.ts";
import { topicPrefix } from "./simulation.ts";
import type { Run } from "./simulation.ts";
import { compareViews } from "./view-comparison.ts";

const journalTopic = topicPrefix + topics.journal;
const itemsTopic = topicPrefix + topics.items;
/** Long enough for everything to be due that the object might still want to tick or send. */
const quietMs = 30 * 60_000;
/** Longer than any produce takes. */
const underWayMs = 10_000;

export async function verifyReplaced(run: Run): Promise<string[]> {
  const { log, host, scheduler, history } = run;
  const problems = [...host.failures, ...history.violations];
  // What was sent before the object knew may still arrive.
  await scheduler.run(() => false, scheduler.now + underWayMs, 400_000);
  const written = ends(run);
  await scheduler.run(() => false, scheduler.now + quietMs, 400_000);
  host.evict();
  const restarted = await scheduler.finish(host.call((core) => core.status()));
  problems.push(...checkReason(run, restarted.stalled));
  await scheduler.finish(host.call((core) => core.wake()));
  if (ends(run) !== written) problems.push(`written to a log that was made again: ${written}, ${ends(run)}`);
  const applied = (log.retired(journalTopic)?.history ?? log.history(journalTopic)).filter(
    ({ offset }) => offset < restarted.journal.position,
  );
  problems.push(...checkOpenings(run, applied));
  problems.push(...(await compareViews(PlainModel.of(applied), host, scheduler)));
  return problems;
}

function ends({ log }: Run): string {
  return Object.values(topics)
    .map((topic) => log.end(topicPrefix + topic))
    .join(" ");
}

function checkReason({ log }: Run, stalled: string | undefined): string[] {
  return [journalTopic, itemsTopic].flatMap((topic) => {
    const old = log.retired(topic);
    if (old === undefined) return [];
    const isTold = [topic, old.id, log.id(topic)].every((part) => stalled?.includes(part));
    return isTold ? [] : [`${topic} was made again, and it is told: ${stalled}`];
  });
}

/** What was opened is of the topic that was read, never of the one that took its name. */
function checkOpenings({ log }: Run, applied: readonly LogRecord[]): string[] {
  const items = log.retired(itemsTopic)?.history ?? log.history(itemsTopic);
  const keys = new Map(items.map(({ offset, key }) => [offset, key]));
  return applied.flatMap((record) => {
    const event = decode(record);
    if (event.kind !== "opening" || keys.get(event.opening.itemsOffset) === record.key) return [];
    return [`opened an item of another topic: ${record.value}`];
  });
}
