import { findErrorBy, protocolErrorsCodesById } from "@platformatic/kafka";
import { type Effect, LogFailure } from "../log.ts";
import { type ErrorMeaning, errorTable } from "./error-table.ts";

/** A code that is newer than the table: nothing is known about what it did. */
const unlisted: ErrorMeaning = { code: "unavailable", effect: "unknown" };

/** Kafka's name of an error code, for logs and metrics. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `ERROR_${code}`;
}

export function meaningOf(name: string): ErrorMeaning {
  return errorTable.get(name) ?? unlisted;
}

/** The failure that an error code in a produce's answer stands for. */
export function failureFromCode(code: number, subject: string, effect?: Effect): LogFailure {
  const name = errorName(code);
  const meaning = meaningOf(name);
  return new LogFailure(meaning.code, effect ?? meaning.effect, `Kafka answers ${name} for ${subject}`);
}

/** Kafka's name of the first protocol error in an error of the client, where there is one. */
export function protocolErrorName(error: unknown): string | undefined {
  const found = findErrorBy(error as Error, "code", "PLT_KFK_PROTOCOL");
  const id: unknown = found === null ? undefined : Reflect.get(found, "apiId");
  return typeof id === "string" ? id : undefined;
}

/**
 * Any error of the client as a failure: Kafka's own by the table; a connection that cannot be had,
 * breaks or times out as one that may be tried again. `effect` is what a broken connection leaves
 * open: nothing for a read, and for a produce whether it took effect.
 */
export function failureFrom(error: unknown, doing: string, effect: Effect): LogFailure {
  if (error instanceof LogFailure) return error;
  const name = protocolErrorName(error);
  if (name !== undefined) {
    const meaning = meaningOf(name);
    const left = effect === "none" ? "none" : meaning.effect;
    return new LogFailure(meaning.code, left, `Kafka answers ${name} while ${doing}`, error);
  }
  if (findErrorBy(error as Error, "code", "PLT_KFK_AUTHENTICATION") !== null) {
    return new LogFailure(
      "forbidden",
      "none",
      `Kafka refuses the bridge's credentials while ${doing}`,
      error,
    );
  }
  return new LogFailure("unavailable", effect, `Kafka cannot be reached while ${doing}`, error);
}
