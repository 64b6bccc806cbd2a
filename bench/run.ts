/**
 * `npm run bench`: all benchmarks, or those named. `npm run bench -- --help` lists them.
 * How each measures and what came out: docs/performance.md.
 */
import { parseArgs } from "node:util";
import { apply } from "./apply.ts";
import { batch } from "./batch.ts";
import { cost } from "./cost.ts";
import { growth } from "./growth.ts";
import { commonFlags, heedHelp, runBenchmarks, usageOf } from "./harness/command.ts";
import { latency } from "./latency.ts";
import { layers } from "./layers.ts";
import { live } from "./live.ts";
import { single } from "./single.ts";
import { sustained } from "./sustained.ts";

const benchmarks = { single, batch, sustained, latency, apply, cost, growth, layers, live };

const { values, positionals } = parseArgs({ allowPositionals: true, options: commonFlags });
heedHelp(values, positionals, benchmarks, usageOf("npm run bench", benchmarks));
await runBenchmarks(benchmarks, positionals, values);
