import { z } from "zod";
import { analysesParameters, auctionParameters, totalsParameters } from "../../src/routes/parameters.ts";
import { analysis, analysisPage } from "../answers/analyses.ts";
import { auctionPage, totalsPage } from "../answers/auctions.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "Finished auctions";
const auction = auctionParameters.shape;
const total = totalsParameters.shape;

/** Any number of parameters, each named by an attribute: members of an exploded object are parameters. */
const attributes = z
  .looseObject({})
  .optional()
  .meta({
    type: "object",
    patternProperties: { "^attribute\\.": { type: "string" } },
    additionalProperties: false,
    maxProperties: 8,
    description: "`attribute.NAME=VALUE`: the attribute is this text, or the number or boolean written so",
    param: { style: "form", explode: true, example: { "attribute.material": "brass" } },
  });

export const auctions: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/auctions",
    operationId: "getAuctions",
    tag,
    summary: "List finished auctions, the last closed first",
    scopes: ["read"],
    parameters: {
      query: z.object({
        status: parameter(auction.status, "That ended so", "withdrawn"),
        category: parameter(auction.category, "Of this category alone"),
        attributes,
        from: parameter(auction.from, "Closed from then on"),
        to: parameter(auction.to, "Closed before"),
        limit: parameter(auction.limit, "Auctions of a page at most", 10),
        cursor: parameter(auction.cursor, "The `next` of the page before"),
      }),
    },
    answers: { 200: json("A page of auctions", auctionPage) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/auctions/totals",
    operationId: "getAuctionTotals",
    tag,
    summary: "Count finished auctions by day, category and currency",
    scopes: ["read"],
    parameters: {
      query: z.object({
        category: parameter(total.category, "Of this category alone"),
        currency: parameter(total.currency, "In this currency alone", "EUR"),
        from: parameter(total.from, "From this day on"),
        to: parameter(total.to, "Before this day"),
        limit: parameter(total.limit, "Totals of a page at most", 10),
        cursor: parameter(total.cursor, "The `next` of the page before"),
      }),
    },
    answers: { 200: json("A page of totals, the earliest day first", totalsPage) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/analyses",
    operationId: "getAnalyses",
    tag,
    summary: "List analyses that have a result",
    scopes: ["read"],
    parameters: {
      query: z.object({
        limit: parameter(analysesParameters.shape.limit, "Analyses of a page at most", 10),
        cursor: parameter(analysesParameters.shape.cursor, "The `next` of the page before"),
      }),
    },
    answers: { 200: json("A page of analyses, by id", analysisPage) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/analyses/{id}",
    operationId: "getAnalysis",
    tag,
    summary: "Read the newest result of an analysis",
    scopes: ["read"],
    parameters: {
      path: z.object({
        id: parameter(z.string(), "A category, or `{category}:{attribute}={value}`", "lamps"),
      }),
    },
    answers: { 200: json("The analysis, and what runs now", analysis) },
    problems: [404],
  },
];
