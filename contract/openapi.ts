import { OpenAPIHono } from "@hono/zod-openapi";
import { exampleNow } from "./examples.ts";
import { type Operation, registerShared, routeOf } from "./operation.ts";
import { auctions } from "./operations/auctions.ts";
import { failureOperations, groupOperations } from "./operations/groups.ts";
import { items } from "./operations/items.ts";
import { keys } from "./operations/keys.ts";
import { live } from "./operations/live.ts";
import { profiles } from "./operations/profiles.ts";
import { replays } from "./operations/replays.ts";
import { stats } from "./operations/stats.ts";
import { subscriptions } from "./operations/subscriptions.ts";
import { system } from "./operations/system.ts";
import { writing } from "./operations/writing.ts";
import type { OpenApiDocument } from "./document.ts";

/** Every operation, in the order in which the document has them. */
const operations: readonly Operation[] = [
  ...writing,
  ...items,
  ...live,
  ...stats,
  ...auctions,
  ...profiles,
  ...keys,
  ...subscriptions,
  ...groupOperations,
  ...failureOperations,
  ...replays,
  ...system,
];

const description = `Takes items and bids at the edge, puts them into Kafka, and tells what became of them.

A 2xx means that the event is in the log. Every refusal is a problem document (RFC 9457) whose \`code\` is one of a closed set, and whose \`retryable\` says whether the same request may succeed later. 500 is a defect and answers nothing that a client sent. A path that has no such method is 405 with \`Allow\`. HEAD goes where GET goes.

Times of the examples count from ${exampleNow}.`;

/** The interface over HTTP as OpenAPI 3.1, made of the schemas that validate. */
export function openApiDocument(version: string): OpenApiDocument {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent("securitySchemes", "credential", {
    type: "http",
    scheme: "bearer",
    description:
      "An API key, `gvl_<id>_<secret>`, or a JWT of the issuer that is configured. What it is listed with are the scopes any of which admits",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "ticket", {
    type: "apiKey",
    in: "query",
    name: "ticket",
    description:
      "Of `POST /v1/live/tickets`, for browsers, which cannot send `Authorization` with a connection",
  });
  registerShared(app.openAPIRegistry);
  for (const operation of operations) app.openAPIRegistry.registerPath(routeOf(operation));
  const document: unknown = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Gavel",
      version,
      description,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/", description: "Where this document is" }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
  });
  return document as OpenApiDocument;
}
