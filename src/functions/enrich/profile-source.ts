import type { Profile } from "../../profiles/profile.ts";
import type { Result } from "../../lib/result.ts";

/** A profile, and as of when it is what it says. */
export interface DatedProfile {
  readonly profile: Profile;
  /** Milliseconds since the epoch. */
  readonly asOf: number;
}

/**
 * Where profiles are looked up. An id that the answer does not have has no profile there; one whose
 * profile cannot be read is a fault of its own, so that it is neither taken for none nor stops others.
 */
export interface ProfileSource {
  /** @throws {LookUpError} or whatever else keeps it from answering: then nothing is known of any id. */
  find(ids: readonly string[]): Promise<ReadonlyMap<string, Result<DatedProfile, string>>>;
}

/** The source does not answer as it should. */
export class LookUpError extends Error {
  override readonly name = "LookUpError";
  /** How long it wants to be left alone, in milliseconds, where it told. */
  readonly delayMs: number | undefined;

  constructor(message: string, delayMs?: number) {
    super(message);
    this.delayMs = delayMs;
  }
}
