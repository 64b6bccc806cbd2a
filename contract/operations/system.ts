import { z } from "zod";
import { healthy, ready, unready } from "../answers/health.ts";
import { type Answer, json, type Operation, parameter } from "../operation.ts";

const tag = "System";

/** Of what asks for no credential: its requests count for their address. */
const openProblems = [429, 503];

const known = z.object({
  "if-none-match": parameter(z.string().optional(), "An `ETag` that the client has"),
});

/** A file, or that it is as the client has it. */
function file(description: string, types: readonly string[]): Record<number, Answer> {
  const headers = ["ETag"] as const;
  const content = Object.fromEntries(types.map((type) => [type, { schema: schemaOf(type) }]));
  return {
    200: { description, headers, content },
    304: { description: "It is as the client has it", headers },
  };
}

function schemaOf(type: string): z.ZodType {
  return type === "application/json" ? z.looseObject({}) : z.string();
}

export const system: readonly Operation[] = [
  {
    method: "get",
    path: "/healthz",
    operationId: "getHealth",
    tag,
    summary: "Whether the Worker runs",
    answers: { 200: json("It does", healthy) },
  },
  {
    method: "get",
    path: "/readyz",
    operationId: "getReadiness",
    tag,
    summary: "Whether the log and every partition answer",
    problems: [429],
    answers: {
      200: json("They do", ready),
      503: json("One of them does not, or does not move", unready),
    },
  },
  {
    method: "get",
    path: "/metrics",
    operationId: "getMetrics",
    tag,
    summary: "Figures of every group and partition, for Prometheus",
    scopes: ["operate"],
    answers: {
      200: {
        description: "Prometheus's text format",
        content: { "text/plain": { schema: z.string() } },
      },
    },
  },
  {
    method: "get",
    path: "/openapi.json",
    operationId: "getOpenApi",
    tag,
    summary: "This document",
    parameters: { headers: known },
    answers: file("OpenAPI 3.1", ["application/json"]),
    problems: openProblems,
  },
  {
    method: "get",
    path: "/asyncapi.json",
    operationId: "getAsyncApi",
    tag,
    summary: "The topics and the webhooks",
    parameters: { headers: known },
    answers: file("AsyncAPI 3.0", ["application/json"]),
    problems: openProblems,
  },
  {
    method: "get",
    path: "/docs",
    operationId: "getDocs",
    tag,
    summary: "This document, to be read",
    parameters: { headers: known },
    answers: file("A page", ["text/html"]),
    problems: openProblems,
  },
  {
    method: "get",
    path: "/docs/{file}",
    operationId: "getDocsFile",
    tag,
    summary: "What the page loads",
    parameters: {
      path: z.object({ file: parameter(z.string(), "Its name", "docs.css") }),
      headers: known,
    },
    answers: file("The file", ["text/css", "text/javascript", "text/plain", "image/png"]),
    problems: [404, ...openProblems],
  },
];
