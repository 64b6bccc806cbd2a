import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "zod";
import type { Scope } from "../src/config.ts";
import { type AnswerHeader, headerObject, headerObjects, headersOfStatus, sharedHeaders } from "./headers.ts";
import { isProblemStatus, meanings, problemSchema, type ProblemStatus, problemStatuses } from "./problems.ts";

/** A value that the interface takes, as it is sent. */
interface Example {
  readonly summary: string;
  readonly value: unknown;
  /** Headers that belong to it. */
  readonly "x-headers"?: Readonly<Record<string, string>>;
}

export interface MediaType {
  readonly schema: z.ZodType;
  readonly examples?: Readonly<Record<string, Example>>;
}

/** What may be done next with what an answer has. Source: OpenAPI 3.1, "Link Object". */
interface Link {
  readonly operationId: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly description: string;
  /** By media type; absent: no body. */
  readonly content?: Readonly<Record<string, MediaType>>;
  /** Headers that this answer always has, and those that it may have. */
  readonly headers?: readonly AnswerHeader[];
  readonly mayHave?: readonly AnswerHeader[];
  readonly links?: Readonly<Record<string, Link>>;
}

export interface Operation {
  readonly method: "get" | "post" | "put" | "delete";
  /** As OpenAPI writes it: `/v1/items/{itemId}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Any of them admits; absent: no credential is asked for. */
  readonly scopes?: readonly Scope[];
  /** Whether a ticket admits as well, which is a parameter. */
  readonly takesTicket?: true;
  readonly parameters?: {
    readonly path?: z.ZodObject;
    readonly query?: z.ZodObject;
    readonly headers?: z.ZodObject;
  };
  readonly body?: {
    readonly required: boolean;
    readonly description?: string;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of problems beside those that every operation of its kind has. */
  readonly problems?: readonly number[];
}

/** Of whatever asks for a credential: it may be refused, and what it needs may be away. */
const withCredential = [401, 403, 429, 503];
/** Of whatever has an answer that a client may not want. */
const withAnswer = [406];
/** Of whatever reads a body. */
const withBody = [400, 408, 413, 415, 422];

/** A JSON answer. */
export function json(description: string, schema: z.ZodType, more: Partial<Answer> = {}): Answer {
  return { description, content: { "application/json": { schema } }, ...more };
}

/** A parameter with what it means, and a value of it that is sent where the examples are run. */
export function parameter<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  example?: string | number,
): Schema {
  return schema.meta({ description, ...(example === undefined ? {} : { param: { example } }) });
}

/** The operation in the words of the generator. */
export function routeOf(operation: Operation): ReturnType<typeof createRoute> {
  const { method, path, operationId, tag, summary, description, scopes, parameters, body } = operation;
  return createRoute({
    method,
    path,
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: [
      ...(scopes ?? []).map((scope) => ({ credential: [scope] })),
      ...(operation.takesTicket === true ? [{ ticket: [] }] : []),
    ],
    request: {
      ...(parameters?.path === undefined ? {} : { params: parameters.path }),
      ...(parameters?.query === undefined ? {} : { query: parameters.query }),
      ...(parameters?.headers === undefined ? {} : { headers: parameters.headers }),
      ...(body === undefined ? {} : { body }),
    },
    responses: answersOf(operation),
  } as Parameters<typeof createRoute>[0]);
}

/** Every answer of the operation: its own and, of statuses that have codes, the problems of its kind. */
function answersOf(operation: Operation): Record<string, unknown> {
  const { scopes, body, answers, problems = [] } = operation;
  const statuses = new Set([
    ...Object.keys(answers).map(Number),
    ...[
      ...problems,
      ...withAnswer,
      ...(scopes === undefined ? [] : withCredential),
      ...(body === undefined ? [] : withBody),
    ].filter(isProblemStatus),
  ]);
  return Object.fromEntries(
    [...statuses]
      .toSorted((left, right) => left - right)
      .map((status) => [status, answerOf(status, answers[status])]),
  );
}

function answerOf(status: number, own: Answer | undefined): Record<string, unknown> {
  if (own === undefined) return { $ref: `#/components/responses/Problem${status}` };
  const problem = isProblemStatus(status) ? problemContent(status) : {};
  const content = { ...own.content, ...problem };
  const headers = { ...headersOfStatus(status), ...headerObjects(own.headers, true) };
  return {
    description: own.description,
    headers: { ...headers, ...headerObjects(own.mayHave, false) },
    ...(Object.keys(content).length === 0 ? {} : { content }),
    ...(own.links === undefined ? {} : { links: own.links }),
  };
}

/** What all operations refer to: headers that every answer of a status has, and problems. */
export function registerShared(registry: OpenAPIHono["openAPIRegistry"]): void {
  for (const [name, required] of sharedHeaders)
    registry.registerComponent("headers", name, headerObject(name, required));
  for (const status of problemStatuses) {
    const name = `Problem${status}`;
    registry.register(name, problemSchema(status));
    registry.registerComponent("responses", name, {
      description: meanings[status],
      headers: headersOfStatus(status),
      content: { "application/problem+json": { schema: { $ref: `#/components/schemas/${name}` } } },
    });
  }
}

function problemContent(status: ProblemStatus): Record<string, MediaType> {
  return { "application/problem+json": { schema: problemSchema(status) } };
}
