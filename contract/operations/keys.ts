import { z } from "zod";
import { keyParameters } from "../../src/routes/parameters.ts";
import { key, keyId, keyPage, keyRequest, newKey } from "../answers/keys.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "API keys";
const scopes = ["operate"] as const;
const parameters = { path: z.object({ keyId: parameter(keyId, "The key's id", "shop-1") }) };

export const keys: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/keys",
    operationId: "postKey",
    tag,
    scopes,
    summary: "Make an API key",
    body: {
      required: true,
      content: {
        "application/json": {
          schema: keyRequest,
          examples: {
            bound: {
              summary: "Of a bidder, who may write for no other",
              value: { id: "shop-1", scopes: ["bids:write", "read"], subject: "ben" },
            },
          },
        },
      },
    },
    answers: { 201: json("The key, this once", newKey, { headers: ["Location"] }) },
    problems: [409],
  },
  {
    method: "get",
    path: "/v1/keys",
    operationId: "getKeys",
    tag,
    scopes,
    parameters: {
      query: z.object({
        limit: parameter(keyParameters.shape.limit, "Keys of a page at most", 10),
        cursor: parameter(keyParameters.shape.cursor, "The `next` of the page before"),
      }),
    },
    summary: "List API keys by their ids, those that are revoked too",
    answers: { 200: json("A page of keys", keyPage) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/keys/{keyId}",
    operationId: "getKey",
    tag,
    scopes,
    parameters,
    summary: "Read what is known of an API key",
    answers: { 200: json("The key's description", key) },
    problems: [404],
  },
  {
    method: "delete",
    path: "/v1/keys/{keyId}",
    operationId: "deleteKey",
    tag,
    scopes,
    parameters,
    summary: "Revoke an API key, everywhere within a minute",
    answers: { 204: { description: "It is revoked" } },
    problems: [404, 409],
  },
];
