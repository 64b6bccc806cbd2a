import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import type { Setting } from "./setting.ts";

/** A benchmark that needs a Kafka. */
export interface KafkaBenchmark {
  readonly title: string;
  run(setting: Setting, options: BenchmarkOptions): Promise<readonly Figure[]>;
}

/** What stands in the place of a Strimzi bridge's name where there is none. */
export const noStrimzi = "Strimzi's bridge (none was given: --strimzi)";
