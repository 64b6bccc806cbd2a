import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { TotalsReporter } from "./scripts/totals-reporter.ts";

/** Files of one project that run side by side. */
const cores = availableParallelism();

/**
 * Six projects: what needs only Node, what needs the real runtime, what needs the whole system,
 * and what needs a real broker. They run one after the other, and what measures time runs a file at a time, so that a
 * time-out never comes from another test's load; `npx vitest run --project unit` runs one alone.
 */
export default defineConfig({
  test: {
    reporters: ["default", new TotalsReporter()],
    projects: [
      node("unit", { order: 1, side: cores, testTimeout: 20_000 }),
      node("faults", { order: 2, side: cores, testTimeout: 600_000 }),
      node("bridge", { order: 3, side: 1, testTimeout: 30_000 }),
      {
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: inject<Record<string, string>>("bindings") },
          })),
        ],
        test: {
          ...common("worker", { order: 4, side: 1, testTimeout: 60_000 }),
          globalSetup: ["test/support/start-log.ts"],
        },
      },
      // Starts and kills whole systems: with time for twenty restarts and more.
      node("e2e", { order: 5, side: 1, testTimeout: 300_000 }),
      // Needs Java and Maven, and is left out of `npm test`. What depends on the log end to end is
      // run over it once more, by the same files.
      {
        test: {
          ...common("kafka", { order: 6, side: 1, testTimeout: 300_000 }),
          include: ["test/kafka/**/*.test.ts", "test/e2e/{readme,batch,demo,log-away,kill}.test.ts"],
          globalSetup: ["test/support/start-kafka.ts"],
        },
      },
    ],
  },
});

interface ProjectSettings {
  /** Projects run in this order; from 1, since 0 would mean no order to vitest. */
  readonly order: number;
  /** Files side by side. */
  readonly side: number;
  /** Of one test, in milliseconds. */
  readonly testTimeout: number;
}

/** A project whose tests, under `test/{name}`, run in Node. */
function node(name: string, settings: ProjectSettings) {
  return { test: { ...common(name, settings), environment: "node" as const } };
}

function common(name: string, { order, side, testTimeout }: ProjectSettings) {
  return {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: Math.max(testTimeout, 30_000),
    maxWorkers: side,
    sequence: { groupOrder: order },
    // A test without an assertion cannot fail, and one left on `only` hides all others.
    allowOnly: false,
    expect: { requireAssertions: true },
  };
}
