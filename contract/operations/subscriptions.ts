import { z } from "zod";
import {
  subscription,
  subscriptionList,
  subscriptionSettings,
  subscriptionWithSecret,
} from "../answers/subscriptions.ts";
import { json, type Operation, parameter } from "../operation.ts";
import { nothing } from "./nothing.ts";

const tag = "Subscriptions";
const scopes = ["operate"] as const;
const parameters = { path: z.object({ id: parameter(z.uuid(), "The subscription") }) };

const links = Object.fromEntries(
  ["getSubscription", "postSecret", "postEnable", "deleteSubscription"].map((operationId) => [
    operationId,
    { operationId, parameters: { id: "$response.body#/id" } },
  ]),
);

const withSecret = { headers: ["Location"], links } as const;

export const subscriptions: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/subscriptions",
    operationId: "postSubscription",
    tag,
    scopes,
    summary: "Have events sent to an endpoint",
    body: {
      required: true,
      content: {
        "application/json": {
          schema: subscriptionSettings,
          examples: {
            losers: {
              summary: "What is lost above an amount, ten events at a time",
              value: {
                url: "https://shop.example.com/auctions",
                filter: { types: ["gavel.bidder.lost.v1"], all: [{ field: "amount", from: 10_000 }] },
                order: "key",
                mode: "structured",
                batch: { count: 10 },
                from: "latest",
              },
            },
          },
        },
      },
    },
    answers: { 201: json("The subscription, and its secret this once", subscriptionWithSecret, withSecret) },
    problems: [409],
  },
  {
    method: "get",
    path: "/v1/subscriptions",
    operationId: "listSubscriptions",
    tag,
    scopes,
    summary: "List all subscriptions, in the order in which they were made",
    answers: { 200: json("All of them", subscriptionList) },
  },
  {
    method: "get",
    path: "/v1/subscriptions/{id}",
    operationId: "getSubscription",
    tag,
    scopes,
    parameters,
    summary: "Read a subscription",
    answers: { 200: json("The subscription", subscription) },
    problems: [404],
  },
  {
    method: "post",
    path: "/v1/subscriptions/{id}/secrets",
    operationId: "postSecret",
    tag,
    scopes,
    parameters,
    summary: "Make a new secret; the one before stays valid for 24 hours",
    body: nothing,
    answers: {
      201: json("The subscription, and its new secret this once", subscriptionWithSecret, withSecret),
    },
    problems: [404],
  },
  {
    method: "post",
    path: "/v1/subscriptions/{id}/enable",
    operationId: "postEnable",
    tag,
    scopes,
    parameters,
    summary: "Go on where a subscription that was disabled was",
    body: nothing,
    answers: { 200: json("The subscription, active", subscription) },
    problems: [404],
  },
  {
    method: "delete",
    path: "/v1/subscriptions/{id}",
    operationId: "deleteSubscription",
    tag,
    scopes,
    parameters,
    summary: "End a subscription",
    answers: { 204: { description: "It is gone" } },
    problems: [404],
  },
];
