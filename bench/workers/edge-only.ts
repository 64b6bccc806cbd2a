import { createApp } from "../../src/app.ts";
import type { Env } from "../../src/env.ts";
import { countless } from "./unlimited.ts";

/** Gavel's edge, every layer of it, without what follows the acknowledgement: pushes and figures go nowhere. */
const nowhere = {
  getByName: () => ({
    push: () => Promise.resolve({ position: 0 }),
    add: () => Promise.resolve({ waitMs: 0 }),
  }),
};

const app = createApp();
// The services are kept by the identity of the environment, which has to stay the same.
const environments = new WeakMap<object, Env>();

export default {
  fetch(request, env, context) {
    let withoutObjects = environments.get(env);
    if (withoutObjects === undefined) {
      withoutObjects = {
        ...env,
        ...countless,
        PARTITIONS: nowhere as unknown as Env["PARTITIONS"],
        METERS: nowhere as unknown as Env["METERS"],
      };
      environments.set(env, withoutObjects);
    }
    return app.fetch(request, withoutObjects, context);
  },
  scheduled: () => undefined,
} satisfies ExportedHandler<Env>;
