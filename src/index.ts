import { createApp } from "./app.ts";
import { ConfigError } from "./config.ts";
import type { Env } from "./env.ts";
import { consoleLogger } from "./lib/log.ts";
import { servicesFor } from "./services.ts";
import { writtenTopics } from "./topics.ts";
import { sweepFunctions } from "./sweep-functions.ts";
import { sweep } from "./sweep.ts";

export { Analysis } from "../durable-objects/analysis.ts";
export { Feed } from "../durable-objects/feed.ts";
export { Meters } from "../durable-objects/meters.ts";
export { Partition } from "../durable-objects/partition.ts";
export { Replay } from "../durable-objects/replay.ts";
export { EndpointCaller } from "./endpoint-caller.ts";
export { Subscriptions } from "../durable-objects/subscriptions.ts";

const app = createApp();

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (_, env) => runSweep(env),
} satisfies ExportedHandler<Env>;

async function runSweep(env: Env): Promise<void> {
  try {
    const services = servicesFor(env);
    const { partitionCount, topicPrefix } = services.config;
    await Promise.all([
      sweep({ ...services, topics: writtenTopics(topicPrefix) }),
      sweepFunctions({ ...services, partitionCount, topicPrefix }),
    ]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    consoleLogger("error", "misconfigured", { reason: error.message });
  }
}
