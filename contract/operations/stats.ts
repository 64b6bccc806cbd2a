import { z } from "zod";
import { cellParameters, windowParameters } from "../../src/routes/parameters.ts";
import { categoryTotals, cells, windows } from "../answers/stats.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "Statistics";
const { seconds, category } = windowParameters.shape;

export const stats: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/stats/categories",
    operationId: "getCategories",
    tag,
    summary: "Count items and bids by category",
    scopes: ["read"],
    answers: { 200: json("Totals of every category and currency", categoryTotals) },
  },
  {
    method: "get",
    path: "/v1/stats/windows",
    operationId: "getWindows",
    tag,
    summary: "Count accepted bids in tumbling windows of their own time",
    scopes: ["read"],
    parameters: {
      query: z.object({
        seconds: parameter(seconds, "Length of a window", 60),
        category: parameter(category, "Of this category alone", "lamps"),
      }),
    },
    answers: { 200: json("Windows of the last hour of stream time", windows) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/stats/cells",
    operationId: "getCells",
    tag,
    summary: "Count bids by where they came from",
    scopes: ["read"],
    parameters: {
      query: z.object({
        resolution: parameter(cellParameters.shape.resolution, "H3 resolution of the cells, or coarser", 3),
      }),
    },
    answers: { 200: json("Cells, the busiest first", cells) },
    problems: [400],
  },
];
