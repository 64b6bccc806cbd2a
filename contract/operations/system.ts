import { z } from "zod";
import { healthy, ready, unready } from "../answers/health.ts";
import { json, type Operation } from "../operation.ts";

const tag = "System";

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
];
