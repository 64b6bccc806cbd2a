import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { transformSync } from "esbuild";
import { defineConfig } from "vitest/config";
import { TotalsReporter } from "./scripts/totals-reporter.ts";

/** Files of one project that run side by side. */
const cores = availableParallelism();

/**
 * Nine projects: what needs only Node, what needs the real runtime, what delivers to
 * receivers by the thousand, what needs the whole system, what needs a browser before it,
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
      // Who reads too slowly is cut off sooner, so that this can be waited for.
      workers("worker", { order: 4, side: 1, testTimeout: 60_000 }, { LIVE_ACKNOWLEDGE_MS: "3000" }),
      // Subscribers are on this machine, and what fails is tried again before a test gets old.
      workers(
        "deliveries",
        { order: 5, side: 1, testTimeout: 1_000_000 },
        {
          ALLOW_LOOPBACK_ENDPOINTS: "true",
          SUBSCRIBER_TIMEOUT_MS: "1000",
          SUBSCRIBER_ATTEMPTS: "12",
          SUBSCRIBER_FIRST_RETRY_MS: "20",
          SUBSCRIBER_LONGEST_RETRY_MS: "200",
          LOG_LEVEL: "error",
        },
      ),
      // Starts and kills whole systems: with time for twenty restarts and more.
      node("e2e", { order: 6, side: 1, testTimeout: 300_000 }),
      // Holds a running gateway against its documents, by tools that read them.
      node("contract", { order: 7, side: 1, testTimeout: 900_000 }),
      // The whole system as well, seen from pages in a real Chromium.
      node("browser", { order: 8, side: 1, testTimeout: 120_000 }),
      // Needs Java and Maven, and is left out of `npm test`. What depends on the log end to end is
      // run over it once more, by the same files.
      {
        test: {
          ...common("kafka", { order: 9, side: 1, testTimeout: 300_000 }),
          include: ["test/kafka/**/*.test.ts", "test/e2e/{readme,batch,demo,log-away,kill}.test.ts"],
          globalSetup: ["test/support/start-kafka.ts"],
        },
      },
    ],
  },
});

/** Another Worker, which a service binding leads to. */
const elsewhere = beside("elsewhere", "test/worker/functions/elsewhere.ts");
/** Hears what the runtime traces. With somebody to hear it, it traces all. */
const tail = beside("tail", "test/worker/edge/spans-tail.ts");

function beside(name: string, path: string) {
  const script = transformSync(readFileSync(path, "utf8"), { loader: "ts" }).code;
  return { name, modules: true, script, compatibilityDate: "2026-10-01" };
}

const quotas = {
  RATE_LIMIT_CREDENTIAL_QUOTA: "",
  RATE_LIMIT_ADDRESS_QUOTA: "",
  RATE_LIMIT_UNKNOWN_QUOTA: "",
};

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

/**
 * A project whose tests, under `test/{name}`, run in the Workers runtime, beside the real bridge and
 * a receiver of deliveries.
 * @param variables that differ from wrangler.toml's
 */
function workers(name: string, settings: ProjectSettings, variables: Record<string, string> = {}) {
  return {
    plugins: [
      cloudflareTest(async ({ inject }) => ({
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          bindings: {
            // Off, but where a test sets them: tests send as fast as they can.
            ...quotas,
            ...inject<Record<string, string>>("bindings"),
            ...variables,
            TEST_SEED: process.env["SEED"] ?? "",
            TEST_RUNS: process.env["RUNS"] ?? "",
            RECEIVER_URL: inject<string>("receiverUrl"),
            ISSUER_URL: inject<string>("issuerUrl"),
            CONTRACT_URL: inject<string>("contractUrl"),
            // For the tests alone, which bring the database up to date.
            TEST_MIGRATIONS: await readD1Migrations("migrations"),
          },
          // Counters of the tests' own: 5 and 20 in a minute.
          ratelimits: { TEST_LIMIT_5: limit(5), TEST_LIMIT_20: limit(20) },
          serviceBindings: { ELSEWHERE: { name: "elsewhere", entrypoint: "Elsewhere" }, SPANS: "tail" },
          streamingTails: name === "worker" ? ["tail"] : [],
          workers: [elsewhere, tail],
        },
      })),
    ],
    test: {
      ...common(name, settings),
      setupFiles: ["test/worker/apply-migrations.ts"],
      globalSetup: [
        "test/support/build-assets.ts",
        "test/support/start-log.ts",
        "test/support/start-receiver.ts",
        "test/support/start-issuer.ts",
        "test/support/start-contract.ts",
      ],
    },
  };
}

function limit(requests: number) {
  return { namespace_id: `test-${requests}`, simple: { limit: requests, period: 60 as const } };
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
