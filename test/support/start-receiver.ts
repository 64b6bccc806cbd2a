import type { TestProject } from "vitest/node";
import { Receiver } from "./receiver/receiver.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where a scripted receiver of deliveries listens, for the tests that run in the Workers runtime. */
    receiverUrl: string;
  }
}

/** Starts a receiver on loopback; tests script it and read what came over HTTP. */
export default async function startReceiver(project: TestProject): Promise<() => Promise<void>> {
  const receiver = await Receiver.start();
  project.provide("receiverUrl", receiver.url);
  return () => receiver.stop();
}
