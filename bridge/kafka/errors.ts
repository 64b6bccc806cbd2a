import { findErrorBy, protocolErrorsCodesById } from "@platformatic/kafka";
import { type Effect, LogFailure } from "../log.ts";
import { type ErrorMeaning, errorTable } from "./error-table.ts";

/** A code that is newer than the table: nothing is known about what it did. */
const unlisted: ErrorMeaning = { code: "unavailable", effect: "unknown" };

/** Kafka's name of an error code, for logs and metrics. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `ERROR_${code}`;
}

function meaningOf(name: string): ErrorMeaning {
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
  const inside = [...errorsInside(error)];
  if (inside.some((one) => codeOf(one) === "PLT_KFK_AUTHENTICATION")) {
    return new LogFailure(
      "forbidden",
      "none",
      `Kafka refuses the bridge's credentials while ${doing}`,
      error,
    );
  }
  const reasons = inside.map((one) => codeOf(one)).filter((code) => SYSTEM_CODE.test(code));
  const why = reasons.length === 0 ? "" : ` (${[...new Set(reasons)].join(", ")})`;
  return new LogFailure("unavailable", effect, `Kafka cannot be reached while ${doing}${why}`, error);
}

/** Codes of the system and of TLS, such as ECONNREFUSED and DEPTH_ZERO_SELF_SIGNED_CERT. */
const SYSTEM_CODE = /^(?!PLT_)[A-Z][A-Z\d_]+$/;
/** Deeper than the client nests; a cycle ends there. */
const DEEPEST = 10;

/**
 * An error and those that it holds, as its causes or together: the client's own search does not
 * look into causes, where a refused authentication stands behind a failed connection.
 */
export function* errorsInside(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > DEEPEST) return;
  yield error;
  yield* errorsInside(error.cause, depth + 1);
  if (error instanceof AggregateError) for (const one of error.errors) yield* errorsInside(one, depth + 1);
}

function codeOf(error: Error): string {
  return String(Reflect.get(error, "code"));
}
