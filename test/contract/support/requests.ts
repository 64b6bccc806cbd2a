import type { DocumentedExample, DocumentedOperation } from "../../../contract/document.ts";
import { exampleNow } from "../../../contract/examples.ts";
import type { LocalFile } from "../../../local/home.ts";
import type { PlacedOperation } from "../../support/contract/reading.ts";

/** A request as the document shows it. */
export interface ExampleRequest {
  readonly operationId: string;
  /** The media type and the example's name. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly key: keyof LocalFile["keys"];
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Values of parameters that only an answer before tells, by `operationId` and name. */
export type Told = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Every example of an operation: one for each that its body has, or a single one without. */
export function examplesOf(
  placed: PlacedOperation,
): { readonly type?: string; readonly name: string; readonly example?: DocumentedExample }[] {
  const content = Object.entries(placed.operation.requestBody?.content ?? {});
  if (content.length === 0) return [{ name: "without a body" }];
  return content.flatMap(([type, { examples = {} }]) =>
    Object.entries(examples).map(([name, example]) => ({ type, name, example })),
  );
}

/** The request of an example, its times as far ahead of the clock as they are of the document's. */
export function requestOf(
  { path, method, operation }: PlacedOperation,
  { type, name, example }: ReturnType<typeof examplesOf>[number],
  told: Told,
  now: number,
): ExampleRequest {
  const values = { ...givenIn(operation, "path"), ...told.get(operation.operationId) };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
    const value = values[parameter];
    if (value === undefined) throw new Error(`${operation.operationId} has no example of ${parameter}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams(givenIn(operation, "query"));
  return {
    operationId: operation.operationId,
    name: type === undefined ? name : `${type}: ${name}`,
    method: method.toUpperCase(),
    path: query.size === 0 ? filled : `${filled}?${query.toString()}`,
    key: operation.security.some((entry) => entry["credential"]?.includes("operate"))
      ? "operator"
      : "trusted",
    headers: {
      ...givenIn(operation, "header"),
      ...example?.["x-headers"],
      ...(type === undefined ? {} : { "content-type": type }),
      ...(isStreamed(operation) ? { accept: "text/event-stream" } : {}),
    },
    ...(example === undefined ? {} : { body: bodyOf(example.value, now) }),
  };
}

/** Whether an operation answers a stream, which has to be asked for. */
function isStreamed({ responses }: DocumentedOperation): boolean {
  return responses["200"]?.content?.["text/event-stream"] !== undefined;
}

/** Examples of parameters by name; members of an exploded object are parameters by themselves. */
function givenIn({ parameters = [] }: DocumentedOperation, where: string): Record<string, string> {
  const given = parameters.filter((parameter) => parameter.in === where && parameter.example !== undefined);
  return Object.fromEntries(
    given.flatMap(({ name, example, explode }) =>
      explode === true ? Object.entries(example as Record<string, string>) : [[name, String(example)]],
    ),
  );
}

function bodyOf(value: unknown, now: number): string {
  const ahead = now - Date.parse(exampleNow);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (time) =>
    new Date(Date.parse(time) + ahead).toISOString(),
  );
}

/** What the links of an answer tell of the parameters of other operations. */
export function linksOf(
  placed: PlacedOperation,
  request: ExampleRequest,
  answer: { readonly status: number; readonly body: string },
): { readonly told: readonly (readonly [string, Record<string, string>])[]; readonly isWhole: boolean } {
  const { links = {} } = placed.operation.responses[answer.status] ?? {};
  let isWhole = true;
  const told = Object.values(links).flatMap(({ operationId, parameters }) => {
    const values = Object.entries(parameters).map(([name, expression]) => {
      const source = expression.startsWith("$request.body#") ? request.body : answer.body;
      return [name, valueAt(source, expression.split("#")[1])] as const;
    });
    if (values.every(([, value]) => value !== undefined)) {
      return [[operationId, Object.fromEntries(values) as Record<string, string>] as const];
    }
    // Several things in a request have no one id; what is answered will have one.
    isWhole &&= Object.values(parameters).every((expression) => !expression.startsWith("$response.body#"));
    return [];
  });
  return { told, isWhole };
}

function valueAt(text: string | undefined, pointer: string | undefined): string | undefined {
  if (text === undefined || pointer === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const name of pointer.split("/").slice(1))
    value = (value as Record<string, unknown> | undefined)?.[name];
  return typeof value === "string" ? value : undefined;
}
