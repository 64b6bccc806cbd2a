import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { authorization, type BridgeChild, ended, startChild } from "../bridge/child.ts";
import { makeTopics } from "../support/kafka-log.ts";

const { bootstrap } = inject("kafka");
const topic = "two-copies";
const PARTITIONS = 4;

interface Stored {
  readonly offset: number;
  readonly value: string;
}

/** Hands requests to each target in turn, as the plainest of load balancers does. */
async function balance(
  targets: readonly string[],
): Promise<{ server: Server; url: string; counts: number[] }> {
  const counts = targets.map(() => 0);
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const index = turn++ % targets.length;
    counts[index] = (counts[index] ?? 0) + 1;
    const { method, url = "/", headers } = incoming;
    const forward = request(new URL(url, targets[index]), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts };
}

describe("two copies of the bridge over one log, behind a load balancer", () => {
  let copies: BridgeChild[];
  let proxy: Awaited<ReturnType<typeof balance>>;
  beforeAll(async () => {
    await makeTopics(bootstrap, { [topic]: PARTITIONS });
    const args = ["--kafka", bootstrap.join(","), "--topics", topic, "--partitions", String(PARTITIONS)];
    copies = await Promise.all([startChild(args), startChild(args)]);
    proxy = await balance(copies.map(({ url }) => url));
  });
  afterAll(async () => {
    proxy.server.closeAllConnections();
    proxy.server.close();
    await Promise.all(
      copies.map(async ({ process }) => {
        const gone = ended(process);
        process.kill("SIGTERM");
        await gone;
      }),
    );
  });

  const call = async <T>(path: string, body: unknown): Promise<T> => {
    const response = await fetch(proxy.url + path, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as T;
  };
  const readAll = async (partition: number): Promise<Stored[]> => {
    const all: Stored[] = [];
    for (;;) {
      const run = await call<Stored[]>("/fetch", { topic, partition, offset: all.length, timeout: 0 });
      if (run.length === 0) return all;
      all.push(...run);
    }
  };

  test("produce and fetch turn by turn lose nothing, and keep the order of each client", async () => {
    const clients = Array.from({ length: 6 }, (_, client) => client);
    const perClient = 60;
    const acknowledged = await Promise.all(
      clients.map(async (client) => {
        const mine: { partition: number; offset: number; value: string }[] = [];
        for (let number = 0; number < perClient; number++) {
          const value = `${client}:${number}`;
          const partition = client % PARTITIONS;
          const [metadata] = await call<{ offset: number }[]>("/produce", { topic, partition, value });
          mine.push({ partition, offset: metadata?.offset ?? -1, value });
        }
        return mine;
      }),
    );
    const stored = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => readAll(partition)),
    );
    for (const { partition, offset, value } of acknowledged.flat()) {
      expect(stored[partition]?.[offset]).toMatchObject({ offset, value });
    }
    expect(stored.flat()).toHaveLength(clients.length * perClient);
    for (const client of clients) {
      const mine = stored.flat().filter(({ value }) => value.startsWith(`${client}:`));
      expect(mine.map(({ value }) => value)).toEqual(
        Array.from({ length: perClient }, (_, number) => `${client}:${number}`),
      );
    }
    // Both copies had their half of all that.
    expect(Math.abs((proxy.counts[0] ?? 0) - (proxy.counts[1] ?? 0))).toBeLessThanOrEqual(1);
  });

  test("a record that one copy took is at the other at once", async () => {
    for (let round = 0; round < 20; round++) {
      const [one, other] = round % 2 === 0 ? copies : copies.toReversed();
      const value = `across ${round}`;
      const send = async <T>(copy: BridgeChild | undefined, path: string, body: unknown) => {
        const response = await fetch(`${copy?.url}${path}`, {
          method: "POST",
          headers: { authorization },
          body: JSON.stringify(body),
        });
        return (await response.json()) as T;
      };
      const [written] = await send<{ offset: number }[]>(one, "/produce", { topic, partition: 0, value });
      const position = { topic, partition: 0, offset: written?.offset, timeout: 5_000 };
      expect(await send(other, "/fetch", position)).toMatchObject([{ offset: written?.offset, value }]);
    }
  });
});
