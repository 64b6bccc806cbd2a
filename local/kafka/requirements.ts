import { existsSync } from "node:fs";
import { join } from "node:path";
import { PlainError } from "../problem.ts";
import { findJava, requireMaven } from "./java.ts";
import { cacheDirectory } from "./libraries.ts";

/** Why no broker can be run from Maven Central on this machine, as a sentence; null when one can. */
export function kafkaProblem(environment: NodeJS.ProcessEnv): string | null {
  try {
    findJava(environment);
    // What an earlier run fetched needs no Maven.
    if (!existsSync(join(cacheDirectory(environment), "libs"))) requireMaven(environment);
    return null;
  } catch (error) {
    if (error instanceof PlainError) return error.message;
    throw error;
  }
}
