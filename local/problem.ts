/** A failure that its message explains in full: shown without a stack, exit code 1. */
export class PlainError extends Error {
  override readonly name = "PlainError";
}

/** What went wrong, as one line for a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ends the process: a sentence for what a person can mend, the stack for what only we can. */
export function exitWith(error: unknown): never {
  console.error(error instanceof PlainError ? `gavel: ${error.message}` : error);
  process.exit(1);
}
