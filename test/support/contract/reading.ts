import type { DocumentedOperation, OpenApiDocument } from "../../../contract/document.ts";

/** An operation of the document, and where it is. */
export interface PlacedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: DocumentedOperation;
}

/** Every operation, in the document's order. */
export function operationsOf({ paths }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

/** A name as a part of a JSON Pointer in a URI's fragment. */
export function pointer(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}

/** The values of all members of a name, wherever in the document. */
export function membersNamed(value: unknown, name: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === name && typeof member === "string" ? [member] : membersNamed(member, name),
  );
}
