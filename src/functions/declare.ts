import type { FunctionSettings, Invoke } from "./function.ts";
import type { FunctionServices } from "./services.ts";

/** A function as the topology declares it. */
export interface DeclaredFunction extends FunctionSettings {
  /** Where it begins on a partition whose group is there already: with the log's first record, or with what comes. */
  readonly from: "earliest" | "latest";
  /** Makes it for one object, with what that object has. */
  readonly create: (services: FunctionServices) => Invoke;
}

/** What a function has that says nothing else: order per key, large batches, patient retries. */
export const defaultSettings: FunctionSettings = {
  order: "key",
  batch: { count: 200, characters: 500_000, waitMs: 0, mixesKeys: true },
  concurrency: 4,
  timeoutMs: 10_000,
  // What fails in process is an outage, as a rule: patience costs a row an attempt, and a dead letter more.
  retry: { attempts: 30, maximumAgeMs: 7 * 86_400_000, firstDelayMs: 500, longestDelayMs: 300_000 },
  budget: { records: 1_000, characters: 4_000_000 },
  circuit: { failures: 5, firstProbeMs: 1_000, longestProbeMs: 60_000 },
};

type Parts = "batch" | "retry" | "budget" | "circuit";

/** What makes a function, and what differs from the defaults. */
export type Declaration = Pick<DeclaredFunction, "create"> &
  Partial<Omit<DeclaredFunction, Parts | "create">> & {
    readonly [Part in Parts]?: Partial<FunctionSettings[Part]>;
  };

export function declareFunction({ create, from = "latest", ...settings }: Declaration): DeclaredFunction {
  const { batch, retry, budget, circuit } = defaultSettings;
  return {
    ...defaultSettings,
    ...settings,
    batch: { ...batch, ...settings.batch },
    retry: { ...retry, ...settings.retry },
    budget: { ...budget, ...settings.budget },
    circuit: { ...circuit, ...settings.circuit },
    create,
    from,
  };
}
