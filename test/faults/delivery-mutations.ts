import type { Mutation } from "./mutations.ts";

const folder = "durable-objects/functions";

/** Copies of the engine that drives a function with one safeguard taken out, which its model has to notice. */
export const deliveryMutations: readonly Mutation[] = [
  {
    name: "the busy lane: a key is called while a call of it runs",
    file: `${folder}/lanes.ts`,
    snippet: "      lane.isBusy = true;\n      this.ready.delete(lane);\n",
    replacement: "",
  },
  {
    name: "the wait for calls from before a crash",
    file: `${folder}/ledger.ts`,
    snippet: "        notBefore: deadline,\n",
    replacement: "        notBefore: 0,\n",
  },
  {
    name: "the attempt that a crash costs",
    file: `${folder}/ledger.ts`,
    snippet: "        attempts: (before?.attempts ?? 0) + 1,\n",
    replacement: "        attempts: before?.attempts ?? 0,\n",
  },
  {
    name: "the turn of a retry: what stands behind it is taken as it was answered",
    file: `${folder}/delivery.ts`,
    snippet: "      if (held.has(pending.lane)) return;\n",
    replacement: "",
  },
  {
    name: "the finished ones behind the position",
    file: `${folder}/held-records.ts`,
    snippet: "      const isKnown = window.isFinished(offset) || this.parked.has(offset);",
    replacement: "      const isKnown = this.parked.has(offset);",
  },
  {
    name: "the parked ones behind the position",
    file: `${folder}/held-records.ts`,
    snippet: "      const isKnown = window.isFinished(offset) || this.parked.has(offset);",
    replacement: "      const isKnown = window.isFinished(offset);",
  },
  {
    name: "the mark of a parked one that is finished behind the position",
    file: `${folder}/window.ts`,
    snippet: "    if (offset >= this.position) this.finished.add(offset);\n",
    replacement: "",
  },
  {
    name: "the writer's repetitions",
    file: `${folder}/held-records.ts`,
    snippet: "      const isRepetition = sequence > 0 && sequence <= window.sequence;",
    replacement: "      const isRepetition = false;",
  },
  {
    name: "the sequence at the position: after a crash what comes first passes for repetitions",
    file: `${folder}/window.ts`,
    snippet: "    return this.records[this.head]?.sequenceBefore ?? this.sequence;",
    replacement: "    return this.sequence;",
  },
  {
    name: "the sequence at a release: what is read again passes for repetitions",
    file: `${folder}/window.ts`,
    snippet: "    this.sequence = this.sequenceAtPosition;\n",
    replacement: "",
  },
  {
    name: "a position of its own for whom the group leaves behind",
    file: `${folder}/delivery.ts`,
    snippet: "    const isLeftBehind = this.isStoredAtHead && this.position !== head;",
    replacement: "    const isLeftBehind = false;",
  },
  {
    name: "the quiet after a crash, for what is taken back and called out of turn",
    file: `${folder}/ledger.ts`,
    snippet: "  return calls.reduce((latest, [, deadline]) => Math.max(latest, deadline), quietUntil);",
    replacement: "  return calls.length * quietUntil * 0;",
  },
  {
    name: "smaller calls after whole calls have failed",
    file: `${folder}/delivery.ts`,
    snippet: "      pending.company = Math.max(1, call.records.length >>> 1);\n",
    replacement: "",
  },
  {
    name: "the budget of parked records",
    file: `${folder}/parked-records.ts`,
    snippet: "    this.isOver = share >= 1 || (this.isOver && share > 0.9);",
    replacement: "    this.isOver = share >= 1_000;",
  },
  {
    name: "the bound of calls at a time",
    file: `${folder}/delivery.ts`,
    snippet: "this.disabledFor !== undefined || this.calls.size >= concurrency) return undefined;",
    replacement: "this.disabledFor !== undefined) return undefined;",
  },
  {
    name: "the last attempt: a record is tried for ever",
    file: `${folder}/delivery.ts`,
    snippet: "pending.attempts >= retry.attempts || ",
    replacement: "",
  },
  {
    name: "the row that goes with its record",
    file: `${folder}/held-records.ts`,
    snippet: "    this.changeLog.unpark(pending);\n",
    replacement: "",
  },
];
