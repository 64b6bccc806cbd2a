import { Failure } from "../failure.ts";

/** What a check found. `note`: worth knowing, and nothing is wrong. */
export interface Finding {
  readonly level: "ok" | "note" | "wrong";
  /** What was looked at. */
  readonly about: string;
  /** One sentence. */
  readonly found: string;
  /** What to do about it; absent where there is nothing to be done. */
  readonly advice?: string;
}

export function ok(about: string, found: string): Finding {
  return { level: "ok", about, found };
}

export function note(about: string, found: string, advice?: string): Finding {
  return { level: "note", about, found, ...(advice === undefined ? {} : { advice }) };
}

export function wrong(about: string, found: string, advice: string): Finding {
  return { level: "wrong", about, found, advice };
}

/** A check that fails is a finding among the others. */
export async function attempt(about: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [
      wrong(about, error.message, "Ask again; where it stays so, see the Worker's log: npx wrangler tail"),
    ];
  }
}
