import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { TotalsReporter } from "./scripts/totals-reporter.ts";

/**
 * Five projects: what needs only Node, what needs the real runtime, and what needs the whole
 * system. Groups run one after the other, so that time-outs in one never come from the load of
 * another; `npx vitest run --project unit` runs one alone.
 */
export default defineConfig({
  test: {
    reporters: ["default", new TotalsReporter()],
    projects: [
      node("unit", { groupOrder: 0 }),
      node("bridge", { groupOrder: 0, testTimeout: 30_000 }),
      node("faults", { groupOrder: 1, testTimeout: 600_000 }),
      {
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: inject<Record<string, string>>("bindings") },
          })),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          globalSetup: ["test/support/start-log.ts"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          allowOnly: false,
          expect: { requireAssertions: true },
          sequence: { groupOrder: 2 },
        },
      },
      // Starts and kills whole systems: one file at a time, with time for twenty restarts and more.
      node("e2e", { groupOrder: 3, testTimeout: 300_000, fileParallelism: false }),
    ],
  },
});

interface NodeProject {
  readonly groupOrder: number;
  readonly testTimeout?: number;
  readonly fileParallelism?: boolean;
}

/** A project whose tests, under `test/{name}`, run in Node. */
function node(name: string, { groupOrder, testTimeout = 10_000, fileParallelism = true }: NodeProject) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      environment: "node" as const,
      testTimeout,
      hookTimeout: Math.max(testTimeout, 30_000),
      fileParallelism,
      // A test without an assertion cannot fail, and one left on `only` hides all others.
      allowOnly: false,
      expect: { requireAssertions: true },
      sequence: { groupOrder },
    },
  };
}
