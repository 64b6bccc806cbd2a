import { createApp } from "../../src/app.ts";
import type { Env } from "../../src/env.ts";

/** Gavel's edge without what follows the acknowledgement: pushes go nowhere. */
const nowhere = { getByName: () => ({ push: () => Promise.resolve({ position: 0 }) }) };

const app = createApp();
// The services are kept by the identity of the environment, which has to stay the same.
const environments = new WeakMap<object, Env>();

export default {
  fetch(request, env, context) {
    let withoutObjects = environments.get(env);
    if (withoutObjects === undefined) {
      withoutObjects = { ...env, PARTITIONS: nowhere as unknown as Env["PARTITIONS"] };
      environments.set(env, withoutObjects);
    }
    return app.fetch(request, withoutObjects, context);
  },
  scheduled: () => undefined,
} satisfies ExportedHandler<Env>;
