import { Failure, UsageError } from "./failure.ts";
import type { Call } from "./command.ts";

/** The parameter at a place, which the command asks for. */
export function parameter({ parameters }: Call, index: number): string {
  const text = parameters[index];
  if (text !== undefined && text !== "") return text;
  throw new UsageError("A parameter is missing, or empty");
}

/** A group's name as a part of a path. */
export function groupPath(call: Call): string {
  return `/v1/groups/${encodeURIComponent(parameter(call, 0))}`;
}

/** A partition of a group as a part of a path. */
export function partitionPath(call: Call): string {
  return `${groupPath(call)}/partitions/${wholeNumber("The partition", parameter(call, 1))}`;
}

/** @throws {UsageError} naming what is no number */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new UsageError(`${name} is a whole number, not ${text}`);
}

/** The text of an option; undefined where it was not given. */
export function option({ values }: Call, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

export function isSet({ values }: Call, name: string): boolean {
  return values[name] === true;
}

/** A key as a part of a path. A dot segment would be taken for one of the path. */
export function keySegment(key: string): string {
  if (key !== "." && key !== "..") return encodeURIComponent(key);
  throw new Failure(`A path cannot carry the key ${key}`);
}
