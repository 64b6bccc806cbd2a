import { z } from "zod";
import { redriveSchema, rebuildSchema } from "../../src/groups/operations.ts";
import { deadLetterParameters, parkedParameters } from "../../src/routes/parameters.ts";
import {
  deadLetterPage,
  group,
  groupList,
  ofKey,
  parkedPage,
  partitionList,
  partitionView,
  paused,
  redriven,
  sought,
} from "../answers/groups.ts";
import { json, type Operation, parameter } from "../operation.ts";
import { nothing } from "./nothing.ts";

const tag = "Groups";
const scopes = ["operate"] as const;

const place = {
  group: parameter(group, "The consumer group", "notify"),
  partition: parameter(z.int().min(0).max(999_999), "The partition", 0),
};
const ofGroup = { path: z.object({ group: place.group }) };
const ofPartition = { path: z.object(place) };
const partitionPath = "/v1/groups/{group}/partitions/{partition}";

/** Group `auction` cannot do it. */
const functionsOnly = { problems: [404, 409] };

export const groupOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/groups",
    operationId: "getGroups",
    tag,
    scopes,
    summary: "List consumer groups, and what they read and call",
    answers: { 200: json("All groups", groupList) },
  },
  {
    method: "get",
    path: "/v1/groups/{group}/partitions",
    operationId: "getPartitions",
    tag,
    scopes,
    parameters: ofGroup,
    summary: "How far a group is, in every partition",
    answers: { 200: json("Every partition; of one whose object does not answer, that alone", partitionList) },
    problems: [404],
  },
  {
    method: "get",
    path: partitionPath,
    operationId: "getPartition",
    tag,
    scopes,
    parameters: ofPartition,
    summary: "How far a group is in one partition",
    answers: { 200: json("The partition", partitionView) },
    problems: [404],
  },
  {
    method: "post",
    path: `${partitionPath}/pause`,
    operationId: "postPause",
    tag,
    scopes,
    parameters: ofPartition,
    summary: "Pause a partition: nothing more is called or read",
    body: nothing,
    answers: { 200: json("It is paused", paused) },
    ...functionsOnly,
  },
  {
    method: "post",
    path: `${partitionPath}/resume`,
    operationId: "postResume",
    tag,
    scopes,
    parameters: ofPartition,
    summary: "Resume a partition",
    body: nothing,
    answers: { 200: json("It goes on", paused) },
    ...functionsOnly,
  },
  {
    method: "post",
    path: `${partitionPath}/seek`,
    operationId: "postSeek",
    tag,
    scopes,
    parameters: ofPartition,
    summary: "Begin again at an offset",
    description:
      "Group `auction` keeps state, which only the whole journal gives: of it `offset` is 0, and `wipe` true. No other group knows `wipe`.",
    body: {
      required: true,
      content: {
        "application/json": {
          schema: rebuildSchema.meta({ id: "Seek" }),
          examples: { beginning: { summary: "At the beginning", value: { offset: 0, skip: true } } },
        },
      },
    },
    answers: { 200: json("It begins there", sought) },
    problems: [404, 409],
  },
];

const parkedKey = z.object({ ...place, key: parameter(z.string().min(1), "The records' key") });

/** What may be done with a parked key, also with the empty one, which records without a key have. */
function ofKeyOperations(verb: "retry" | "skip", summary: string, description: string): Operation[] {
  const name = verb === "retry" ? "postRetry" : "postSkip";
  const shared = { method: "post", tag, scopes, description, body: nothing, ...functionsOnly } as const;
  const answers = { 200: json("So many records", ofKey) };
  return [
    {
      ...shared,
      path: `${partitionPath}/parked/{key}/${verb}`,
      operationId: name,
      summary,
      parameters: { path: parkedKey },
      answers,
    },
    {
      ...shared,
      path: `${partitionPath}/parked//${verb}`,
      operationId: `${name}WithoutKey`,
      summary: `${summary}: of records without a key`,
      parameters: ofPartition,
      answers,
    },
  ];
}

const parked = parkedParameters.shape;
const letters = deadLetterParameters.shape;

export const failureOperations: readonly Operation[] = [
  {
    method: "get",
    path: `${partitionPath}/parked`,
    operationId: "getParked",
    tag,
    scopes,
    parameters: {
      ...ofPartition,
      query: z.object({
        limit: parameter(parked.limit, "Records of a page at most", 10),
        cursor: parameter(parked.cursor, "The `next` of the page before"),
      }),
    },
    summary: "List records that wait for a retry, or behind one of their key",
    answers: {
      200: json("A page of records", parkedPage, {
        links: {
          retry: { operationId: "postRetry", parameters: { key: "$response.body#/parked/0/key" } },
          skip: { operationId: "postSkip", parameters: { key: "$response.body#/parked/0/key" } },
        },
      }),
    },
    problems: [400, 404, 409],
  },
  ...ofKeyOperations(
    "retry",
    "Call what is parked of a key as soon as may be",
    "404 where nothing of the key is parked that no call is under way for.",
  ),
  ...ofKeyOperations(
    "skip",
    "End what is parked of a key as dead letters",
    "404 where nothing of the key is parked that no call is under way for.",
  ),
  {
    method: "get",
    path: "/v1/groups/{group}/dead-letters",
    operationId: "getDeadLetters",
    tag,
    scopes,
    parameters: {
      ...ofGroup,
      query: z.object({
        limit: parameter(letters.limit, "Dead letters at most", 10),
        partition: parameter(letters.partition, "Of this partition alone", 0),
        before: parameter(letters.before, "The `next` of the page before, with the same `partition`"),
      }),
    },
    summary: "List dead letters, the newest first",
    answers: { 200: json("Dead letters", deadLetterPage) },
    problems: [400, 404, 409],
  },
  {
    method: "post",
    path: "/v1/groups/{group}/dead-letters/redrive",
    operationId: "postRedrive",
    tag,
    scopes,
    parameters: ofGroup,
    summary: "Call functions with dead letters once more",
    description:
      "A partition that fails keeps no other's answer back; where all fail, the failure is the answer.",
    body: {
      required: true,
      content: {
        "application/json": {
          schema: redriveSchema.meta({
            id: "Redrive",
            oneOf: [{ required: ["ids"] }, { required: ["all"] }],
          }),
          examples: { all: { summary: "All of them", value: { all: true } } },
        },
      },
    },
    answers: { 200: json("How many, by partition", redriven) },
    problems: [404, 409],
  },
];
