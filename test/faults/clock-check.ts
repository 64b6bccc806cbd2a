import { eventTypes, topics } from "../../src/topics.ts";
import { header } from "./plain-decoding.ts";
import type { PlainModel } from "./plain-model.ts";
import { topicPrefix } from "./simulation.ts";
import type { Run } from "./simulation.ts";

/** Ticks of the object: none while a backfill drives the clock, enough to close in time otherwise. */
export function checkClock(run: Run, model: PlainModel): string[] {
  const journal = run.log.records(topicPrefix + topics.journal);
  const scripted = new Set(run.script.writes.flatMap(({ events }) => events.map((event) => event.value)));
  const ticks = journal.filter(
    (record) => header(record, "ce_type") === eventTypes.tick && !scripted.has(record.value),
  );
  const problems: string[] = [];
  if (run.script.clock === "trusted" && ticks.length > 0) {
    problems.push(`${ticks.length} ticks while trusted times drive the clock`);
  }
  if (run.script.clock !== "live") return problems;
  for (const item of model.items.values()) {
    const due = item.endsAt + item.opening.graceMs;
    if (item.status === "open" && due + 60_000 < run.scheduler.now) {
      problems.push(`${item.opening.itemId} is still open, due at ${due}`);
    }
  }
  return problems;
}
