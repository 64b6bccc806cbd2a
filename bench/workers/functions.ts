import { WorkerEntrypoint } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import type { ItemQuery, PushBatch } from "../../durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { answerBatch, type BatchAnswer, type FunctionBatch } from "../../src/functions/batch.ts";
import type { FunctionsEnv, MeasuredFunctionsRpc } from "./function-objects.ts";
import { noOp } from "./function-groups.ts";

export { EndpointCaller } from "../../src/endpoint-caller.ts";
export { Subscriptions } from "../../durable-objects/subscriptions.ts";
export { Partition } from "./function-objects.ts";

/** A function behind a service binding, which does nothing. */
export class NoOp extends WorkerEntrypoint {
  invoke(batch: FunctionBatch): Promise<BatchAnswer> {
    return answerBatch(batch, noOp);
  }
}

const app = createApp();
const calls = ["counters", "functionGroupStatus", "pause", "started", "wakeFunctions"] as const;
// The services are kept by the identity of the environment, which has to stay the same.
const environments = new WeakMap<object, Env>();

/**
 * Gavel with groups of functions that are measured, and a way to call an object by its name:
 * `POST /bench/{call}?object={group}/{partition}`. No sweep: a benchmark wakes what it measures.
 */
export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    const call = calls.find((name) => pathname === `/bench/${name}`);
    if (call === undefined) return app.fetch(request, observed(env), context);
    const object = env.PARTITIONS.getByName(
      searchParams.get("object") ?? "",
    ) as unknown as MeasuredFunctionsRpc;
    return Response.json((await object[call]()) ?? null);
  },
  scheduled: () => undefined,
} satisfies ExportedHandler<FunctionsEnv>;

/**
 * With the edge's pushes of the journal handed to the groups that the run names in `READERS`, separated by
 * commas, be they of functions; the first of them answers.
 */
function observed(env: FunctionsEnv): Env {
  let known = environments.get(env);
  if (known === undefined) {
    const groups = (env.READERS ?? "auction").split(",");
    const getByName = (name: string) => {
      const [, partition] = name.split("/");
      const objects = groups.map((group) => env.PARTITIONS.getByName(`${group}/${partition}`));
      const push = async (batch: PushBatch) => {
        const readers = batch.topic === "journal" ? objects : objects.slice(0, 1);
        const answers = await Promise.all(readers.map(async (reader) => reader.push(batch)));
        return answers[0];
      };
      return { push, readItem: (query: ItemQuery) => objects[0]?.readItem(query) };
    };
    known = { ...env, PARTITIONS: { getByName } as unknown as Env["PARTITIONS"] };
    environments.set(env, known);
  }
  return known;
}
