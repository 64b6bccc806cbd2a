import { createApp } from "./app.ts";
import { ConfigError } from "./config.ts";
import type { Env } from "./env.ts";
import { consoleLogger } from "./lib/log.ts";
import { servicesFor, writtenTopics } from "./services.ts";
import { sweep } from "./sweep.ts";

export { Partition } from "../durable-objects/partition.ts";

const app = createApp();

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (_, env) => runSweep(env),
} satisfies ExportedHandler<Env>;

async function runSweep(env: Env): Promise<void> {
  try {
    const services = servicesFor(env);
    await sweep({ ...services, topics: writtenTopics(services.config.topicPrefix) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    consoleLogger("error", "misconfigured", { reason: error.message });
  }
}
