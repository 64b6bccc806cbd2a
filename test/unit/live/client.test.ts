import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ConnectQuery, ConnectRefusal } from "../../../durable-objects/feed/rpc.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { createFeeds } from "../../../src/live/client.ts";

const query: ConnectQuery = { items: ["a"], holder: { credential: "ada", isStoredKey: false } };
const socket = {} as WebSocket;

/** Feeds of which each takes a connection, refuses it or fails. */
function feeds(answers: readonly ("takes" | ConnectRefusal["kind"] | "fails" | "hangs")[], random = 0) {
  const asked: string[] = [];
  const getByName = (name: string) => {
    const answer = answers[Number(name.split("/")[1])];
    return {
      fetch: async () => {
        asked.push(name);
        if (answer === "fails") throw new Error("reset");
        return answer === "takes"
          ? { webSocket: socket }
          : { webSocket: null, json: async () => ({ kind: answer }) };
      },
      redeemTicket: async () => {
        asked.push(name);
        return query.holder;
      },
      figures: async () => {
        if (answer === "fails") throw new Error("reset");
        if (answer === "hangs") await new Promise(() => undefined);
        return { connections: 3, items: 2 };
      },
    };
  };
  const logger = () => undefined;
  const clock: Clock = { now: () => 0, sleep: (milliseconds) => sleep(milliseconds / 100) };
  const client = createFeeds({
    objects: { getByName },
    count: answers.length,
    random: () => random,
    clock,
    logger,
  });
  return { client, asked };
}

test("a connection goes to a feed chosen at random, and to the next where that one is full", async () => {
  const spread = feeds(["takes", "takes", "takes", "takes"], 0.6);
  expect(await spread.client.connect(query)).toBe(socket);
  expect(spread.asked).toEqual(["feed/2"]);
  const full = feeds(["full", "full", "full", "takes"], 0.8);
  await full.client.connect(query);
  expect(full.asked).toEqual(["feed/3"]);
  const next = feeds(["takes", "full", "full", "full"], 0.6);
  await next.client.connect(query);
  expect(next.asked).toEqual(["feed/2", "feed/3", "feed/0"]);
});

test("where all that are tried are full, or one fails, it is a 503", async () => {
  await expect(feeds(["full", "full"]).client.connect(query)).rejects.toMatchObject({
    code: "feed-full",
    status: 503,
  });
  const away = feeds(["fails", "takes"]);
  await expect(away.client.connect(query)).rejects.toMatchObject({ code: "feed-unavailable", status: 503 });
  const partition = feeds(["unavailable", "takes"]);
  await expect(partition.client.connect(query)).rejects.toMatchObject({ code: "feed-unavailable" });
});

test("a connection with a ticket goes to the feed that has it, and to no other", async () => {
  const { client, asked } = feeds(["takes", "full"]);
  expect(await client.redeemTicket(`1.${"a".repeat(32)}`)).toEqual({ holder: query.holder, feed: 1 });
  await expect(client.connect(query, 1)).rejects.toMatchObject({ code: "feed-full" });
  expect(asked).toEqual(["feed/1", "feed/1"]);
});

test("what does not look like a ticket asks no object", async () => {
  const { client, asked } = feeds(["takes", "takes"]);
  for (const ticket of ["", "1", `2.${"a".repeat(32)}`, `1.${"a".repeat(31)}`, `-1.${"a".repeat(32)}`]) {
    expect(await client.redeemTicket(ticket)).toBeNull();
  }
  expect(asked).toEqual([]);
});

test("a feed that fails or does not answer keeps no other's figures back", async () => {
  const figures = { connections: 3, items: 2 };
  expect(await feeds(["takes", "fails", "hangs", "takes"]).client.figures()).toEqual([
    figures,
    null,
    null,
    figures,
  ]);
});
