import { z } from "zod";
import { analyses, analysisNames } from "../../src/analyses/registry.ts";
import { replaySchema } from "../../src/replays/validate.ts";
import { replayParameters } from "../../src/routes/parameters.ts";
import { topics } from "../../src/topics.ts";
import { replay, replayList } from "../answers/replays.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "Replays";
const scopes = ["operate"] as const;
const parameters = { path: z.object({ id: parameter(z.uuid(), "The replay") }) };

/** A replay's body for each analysis, with the topics that it reads and its own parameters. */
const requests = analysisNames.map((name) => {
  const { topics: roles, parameters: own } = analyses[name];
  const isNeeded = !own.safeParse({}).success;
  return replaySchema(1)
    .extend({
      analysis: z.literal(name),
      topic: z.enum(roles.map((role) => topics[role])).optional(),
      parameters: isNeeded ? own : own.optional(),
    })
    .meta({ id: `Replay-${name}` });
});

export const replays: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/replays",
    operationId: "postReplay",
    tag,
    scopes,
    summary: "Put a question to a stretch of the log",
    description:
      "`from` and `to` are an offset, offsets for each partition, or a time. A `POST` that was not answered may have started one: list them.",
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.union(requests),
          examples: {
            totals: {
              summary: "Count all auctions anew",
              value: { analysis: "category-totals", from: 0 },
            },
          },
        },
      },
    },
    answers: {
      202: json("The replay, running", replay, {
        headers: ["Location"],
        links: {
          get: { operationId: "getReplay", parameters: { id: "$response.body#/id" } },
          cancel: { operationId: "deleteReplay", parameters: { id: "$response.body#/id" } },
        },
      }),
    },
    problems: [409],
  },
  {
    method: "get",
    path: "/v1/replays",
    operationId: "listReplays",
    tag,
    scopes,
    parameters: {
      query: z.object({ limit: parameter(replayParameters.shape.limit, "Replays at most", 10) }),
    },
    summary: "List replays, the newest first",
    answers: { 200: json("Without what each partition has, and without results", replayList) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/replays/{id}",
    operationId: "getReplay",
    tag,
    scopes,
    parameters,
    summary: "Read a replay, and its result once it is done",
    answers: { 200: json("The replay", replay) },
    problems: [404],
  },
  {
    method: "delete",
    path: "/v1/replays/{id}",
    operationId: "deleteReplay",
    tag,
    scopes,
    parameters,
    summary: "Cancel a replay where it is running",
    answers: { 200: json("The replay", replay) },
    problems: [404],
  },
];
