/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The gateway refuses, or does not answer: told in one sentence, exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure";
}
