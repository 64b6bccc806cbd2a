import { createApp } from "../../src/app.ts";
import type { Env } from "../../src/env.ts";
import type { MeasuredRpc } from "./measured-partition.ts";

export { Replay } from "../../durable-objects/replay.ts";
export { Analysis } from "../../durable-objects/analysis.ts";
export { Feed } from "../../durable-objects/feed.ts";
export { Subscriptions } from "../../durable-objects/subscriptions.ts";
export { Partition } from "./measured-partition.ts";

const app = createApp();
const calls = ["counters", "digest", "extend", "status", "wake", "wipe"] as const;
type Call = (typeof calls)[number];

/**
 * Gavel with objects that count, and a way to call one by its name:
 * `POST /bench/{call}?object={group}/{partition}`. No sweep: a benchmark wakes what it measures.
 */
export default {
  fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    const call = calls.find((name) => pathname === `/bench/${name}`);
    if (call === undefined) return app.fetch(request, env, context);
    return callObject(env, call, searchParams.get("object") ?? "", request);
  },
  scheduled: () => undefined,
} satisfies ExportedHandler<Env>;

async function callObject(env: Env, call: Call, name: string, request: Request): Promise<Response> {
  const object = env.PARTITIONS.getByName(name) as unknown as MeasuredRpc;
  if (call !== "extend") return Response.json((await object[call]()) ?? null);
  await object.extend(await request.json());
  return Response.json(null);
}
