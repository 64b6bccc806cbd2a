import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestModule, TestRunEndReason, Vitest } from "vitest/node";

interface Totals {
  passed: number;
  /** What failed, by its full name, with the first line of why. */
  readonly failed: string[];
  /** Full names of tests that were declared and did not run. */
  readonly skipped: string[];
}

/** The first words of a line that names what failed: scripts/ci.ts repeats those at its end. */
export const FAILED = "failed: ";

/**
 * Ends a run with one line, `N passed, N failed`, over all projects, and before it a line for each
 * that failed: in an output of megabytes they are what one looks for.
 *
 * What keeps tests from running counts as a failure of its own, since a number that only counts
 * tests would hide it: a file that cannot be loaded, an error outside of any test, a skipped test,
 * a run that was cut short.
 */
export class TotalsReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const totals = count(modules);
    // Whoever asks for some tests by name leaves the others out on purpose.
    if (this.#vitest?.config.testNamePattern) totals.skipped.length = 0;
    const failed = [
      ...totals.failed,
      ...totals.skipped.map((name) => `${name}: skipped`),
      ...errors.map((error) => named("outside of any test", error)),
      ...(reason === "interrupted" ? ["the run was cut short"] : []),
    ];
    if (failed.length > 0) process.exitCode = 1;
    for (const line of failed) process.stdout.write(`${FAILED}${line}\n`);
    process.stdout.write(`${totals.passed} passed, ${failed.length} failed\n`);
  }
}

function count(modules: readonly TestModule[]): Totals {
  const totals: Totals = { passed: 0, failed: [], skipped: [] };
  for (const module of modules) {
    const place = `${module.project.name} > ${module.relativeModuleId}`;
    // Failed hooks and failed imports belong to a module or a suite, not to a test.
    totals.failed.push(...module.errors().map((error) => named(place, error)));
    for (const suite of module.children.allSuites())
      totals.failed.push(...suite.errors().map((error) => named(`${place} > ${suite.fullName}`, error)));
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      if (state === "passed") totals.passed += 1;
      else if (state === "failed") totals.failed.push(named(`${place} > ${test.fullName}`, errors?.[0]));
      else totals.skipped.push(`${place} > ${test.fullName}`);
    }
  }
  return totals;
}

/** One line: where, and the first line of why, without colours. */
function named(place: string, error: Pick<SerializedError, "message"> | undefined): string {
  const why = stripVTControlCharacters(error?.message ?? "").split("\n", 1)[0] ?? "";
  return why === "" ? place : `${place}: ${why}`;
}
