import type { Reporter, TestModule, TestRunEndReason, Vitest } from "vitest/node";

interface Totals {
  passed: number;
  failed: number;
  /** Full names of tests that were declared and did not run. */
  readonly skipped: string[];
}

/**
 * Ends a run with one line, `N passed, N failed`, over all projects.
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

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const totals = count(modules);
    const cutShort = reason === "interrupted" ? 1 : 0;
    // Whoever asks for some tests by name leaves the others out on purpose.
    if (this.#vitest?.config.testNamePattern) totals.skipped.length = 0;
    for (const name of totals.skipped) process.stdout.write(`skipped: ${name}\n`);
    const failed = totals.failed + totals.skipped.length + errors.length + cutShort;
    if (failed > 0) process.exitCode = 1;
    process.stdout.write(`${totals.passed} passed, ${failed} failed\n`);
  }
}

function count(modules: readonly TestModule[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: [] };
  for (const module of modules) {
    // Failed hooks and failed imports belong to a module or a suite, not to a test.
    totals.failed += module.errors().length;
    for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") totals.passed += 1;
      else if (state === "failed") totals.failed += 1;
      else totals.skipped.push(`${module.project.name} > ${test.fullName}`);
    }
  }
  return totals;
}
