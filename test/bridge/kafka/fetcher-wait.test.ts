import type { ConnectionPool } from "@platformatic/kafka";
import { expect, test, vi } from "vitest";
import type { Cluster } from "../../../bridge/kafka/cluster.ts";
import { Fetcher } from "../../../bridge/kafka/fetcher.ts";
import type { OffsetLookup } from "../../../bridge/kafka/offset-lookup.ts";

/** Two brokers that answer when the test says so, which no real broker does: partition n is led by broker n. */
function twoBrokers() {
  const answers = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()] as const;
  const cluster = {
    leaderOf: ({ partition }: { partition: number }) => ({ node: partition, topicId: "id" }),
    connect: (_pool: unknown, node: number) => Promise.resolve(node),
    protocol: { fetch: { async: (node: 0 | 1) => answers[node].promise } },
  } as unknown as Cluster;
  const pool = {} as ConnectionPool;
  return { answers, pool, fetcher: new Fetcher(cluster, pool, {} as OffsetLookup) };
}

test("a wait that one broker ends gives its connections back when the other has answered too", async () => {
  const { answers, pool, fetcher } = twoBrokers();
  const positions = [0, 1].map((partition) => ({ topic: "bids", partition, offset: 0 }));
  const release = vi.fn();
  const waiting = fetcher.wait(positions, 500, pool, release);
  answers[0].resolve({});
  await waiting;
  // A read that took them now would stand behind the wait that is left.
  await new Promise(setImmediate);
  expect(release).not.toHaveBeenCalled();
  answers[1].resolve({});
  await expect.poll(() => release.mock.calls.length).toBe(1);
});

test("a wait that fails gives its connections back as well", async () => {
  const { answers, pool, fetcher } = twoBrokers();
  const release = vi.fn();
  const waiting = fetcher.wait([{ topic: "bids", partition: 0, offset: 0 }], 500, pool, release);
  answers[0].reject(new Error("the connection broke"));
  await expect(waiting).rejects.toThrow("Kafka cannot be reached while reading");
  await expect.poll(() => release.mock.calls.length).toBe(1);
});
