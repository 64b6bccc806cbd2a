import { WorkerEntrypoint } from "cloudflare:workers";

/** What is used here of what comes by RPC. */
interface Batch {
  readonly function: string;
  readonly offsets: readonly number[];
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly headers: readonly string[];
  readonly traceparents: readonly string[];
  readonly attempts: readonly number[];
}

class Odd {
  readonly own = true;
}

/** Answers of a function that knows nothing of Gavel's code: `invoke`, and plain data, by the function's name. */
const answers: Readonly<Record<string, (batch: Batch) => unknown>> = {
  done: () => "done",
  half: ({ offsets }) => ({
    outcomes: offsets.slice(0, -1).map((offset) => (offset % 2 === 0 ? { status: "done" } : undefined)),
  }),
  echo: ({ attempts, headers, keys, offsets, values }) => ({
    outcomes: offsets.map((offset, index) => ({
      status: "reject",
      reason: [keys[index], offset, values[index], headers[index], attempts[index]].join(" "),
    })),
  }),
  trace: ({ offsets, traceparents }) => ({
    outcomes: offsets.map((_, index) => ({ status: "reject", reason: traceparents[index] })),
  }),
  throw: () => {
    throw new Error("broken on purpose");
  },
  class: () => new Odd(),
  nothing: () => undefined,
  text: () => "all done",
  number: () => 3,
};

/** Runs as another Worker beside the one that is tested: vitest.config.ts. */
export class Elsewhere extends WorkerEntrypoint {
  invoke(batch: Batch): unknown {
    return answers[batch.function]?.(batch);
  }
}
