import { z } from "zod";
import { id } from "../../src/ingest/schemas.ts";
import { profile, profileFields } from "../answers/profiles.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "Profiles";
const route = {
  path: "/v1/profiles/{profileId}",
  tag,
  parameters: { path: z.object({ profileId: parameter(id, "A bidder or a seller", "ayse") }) },
} as const;

export const profiles: readonly Operation[] = [
  {
    ...route,
    method: "put",
    operationId: "putProfile",
    summary: "Write a profile, whatever it was",
    scopes: ["operate"],
    body: {
      required: true,
      content: {
        "application/json": {
          schema: profileFields,
          examples: {
            profile: {
              summary: "A seller",
              value: {
                displayName: "Ayşe's antiques",
                country: "TR",
                rating: 97.5,
                attributes: { since: 2011 },
              },
            },
          },
        },
      },
    },
    answers: { 200: json("It was another one", profile), 201: json("It is new", profile) },
  },
  {
    ...route,
    method: "get",
    operationId: "getProfile",
    summary: "Read a profile",
    scopes: ["read", "operate"],
    answers: { 200: json("The profile", profile) },
    problems: [404],
  },
  {
    ...route,
    method: "delete",
    operationId: "deleteProfile",
    summary: "Remove a profile",
    description: "What is not there is not there afterwards either.",
    scopes: ["operate"],
    answers: { 204: { description: "There is none" } },
  },
];
