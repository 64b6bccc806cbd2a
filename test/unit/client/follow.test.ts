import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createClient } from "../../../client/client.ts";
import type { FollowOptions, Following } from "../../../client/follow/follow.ts";
import type { LiveItem } from "../../../client/follow/message.ts";
import { problem, ScriptedHost, type Step } from "./scripted.ts";
import { ScriptedSocket, state } from "./scripted-feed.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface World {
  readonly following: Following;
  readonly scripted: ScriptedHost;
  readonly sockets: ScriptedSocket[];
  readonly seen: LiveItem[];
  /** What reading ended with; undefined while it goes on. */
  readonly end: { error?: unknown };
  /** Lets everything happen that is due, and this much time pass. */
  readonly pass: (milliseconds?: number) => Promise<void>;
  readonly leave: () => void;
}

interface Options extends FollowOptions {
  readonly items?: readonly string[];
  readonly script?: (url: string) => Step | undefined;
  readonly hasSockets?: boolean;
}

/** A client that follows, and a reader who takes every state as it comes. */
async function follow({
  items = ["lamp", "vase"],
  script,
  hasSockets = true,
  ...options
}: Options = {}): Promise<World> {
  const sockets: ScriptedSocket[] = [];
  let tickets = 0;
  const scripted = new ScriptedHost(({ url }) => {
    const scriptedStep = script?.(url);
    if (scriptedStep !== undefined) return scriptedStep;
    return { status: 201, body: { ticket: `ticket-${(tickets += 1)}` } };
  });
  const openSocket = (url: string) => {
    const socket = new ScriptedSocket(url);
    sockets.push(socket);
    return socket;
  };
  const client = createClient({
    url: "https://gavel.test",
    credential: "key",
    ...scripted.host(),
    ...(hasSockets ? { openSocket } : {}),
  });
  const following = client.follow(items, options);
  const [seen, end]: [LiveItem[], World["end"]] = [[], {}];
  const reader = following[Symbol.asyncIterator]();
  const read = async (): Promise<void> => {
    for (let next = await reader.next(); next.done !== true; next = await reader.next())
      seen.push(next.value);
  };
  read().catch((error: unknown) => (end.error = error));
  const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds).then(() => undefined);
  await pass();
  return { following, scripted, sockets, seen, end, pass, leave: () => void reader.return?.() };
}

const brief = ({ itemId, sequence }: LiveItem) => `${itemId} ${sequence}`;

test("a connection is opened with a ticket, and what it tells is read", async () => {
  const { sockets, seen, scripted, pass, following } = await follow();
  const [socket] = sockets;
  expect(scripted.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    "POST https://gavel.test/v1/live/tickets",
  ]);
  expect(socket?.url.href).toBe("wss://gavel.test/v1/live?items=lamp%2Cvase&ticket=ticket-1");
  socket?.open();
  socket?.tell({ number: 1, id: "a", items: [state("lamp", 3), state("vase", 1)] });
  await pass();
  expect(seen.map(brief)).toEqual(["lamp 3", "vase 1"]);
  expect(following.position).toBe("a");
});

test("a cut is followed by a new connection that goes on from the last message, and nothing is told twice", async () => {
  const { sockets, seen, pass, scripted } = await follow();
  sockets[0]?.open();
  sockets[0]?.tell({ number: 1, id: "a", items: [state("lamp", 3), state("vase", 1)] });
  await pass();
  sockets[0]?.tell({ number: 2, id: "b", items: [state("lamp", 4)] });
  await pass();
  sockets[0]?.end(1006);
  await pass();
  expect(sockets).toHaveLength(2);
  expect(sockets[1]?.url.searchParams.get("after")).toBe("b");
  expect(sockets[1]?.url.searchParams.get("ticket")).toBe("ticket-2");
  expect(scripted.sleeps).toEqual([500]);
  sockets[1]?.open();
  // A state that it may have got: the same sequence, read at another time.
  sockets[1]?.tell({
    number: 1,
    id: "c",
    items: [{ ...state("lamp", 4), position: 99 }, state("vase", 2)],
  });
  await pass();
  expect(seen.map(brief)).toEqual(["lamp 3", "vase 1", "lamp 4", "vase 2"]);
});

test("a lower sequence is told: the log was made anew", async () => {
  const { sockets, seen, pass } = await follow();
  sockets[0]?.open();
  sockets[0]?.tell({ number: 1, id: "a", items: [state("lamp", 9)] });
  await pass();
  sockets[0]?.tell({ number: 2, id: "b", items: [state("lamp", 2)] });
  await pass();
  expect(seen.map(brief)).toEqual(["lamp 9", "lamp 2"]);
});

test("the time between connections grows up to half a minute while nothing is told, and starts over once something is", async () => {
  const { sockets, scripted, pass } = await follow({ items: ["lamp"] });
  for (let round = 0; round < 8; round += 1) {
    sockets.at(-1)?.open();
    sockets.at(-1)?.end(1012);
    await pass();
  }
  // Half of each bound, by this host's random.
  expect(scripted.sleeps).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  sockets.at(-1)?.open();
  sockets.at(-1)?.tell({ number: 1, id: "a", items: [state("lamp", 1)] });
  sockets.at(-1)?.end(1012);
  await pass();
  // And a session that is over is no failure.
  sockets.at(-1)?.open();
  sockets.at(-1)?.end(4000);
  await pass();
  expect(scripted.sleeps.slice(8)).toEqual([500, 500]);
});

test("messages are acknowledged after every fourth, and soon after the last", async () => {
  const { sockets, pass } = await follow();
  const [socket] = sockets;
  socket?.open();
  for (let number = 1; number <= 9; number += 1) {
    socket?.tell({ number, id: `m${number}`, items: [state("lamp", number)] });
  }
  expect(socket?.sent).toEqual(['{"ack":4}', '{"ack":8}']);
  await pass(2_000);
  expect(socket?.sent).toEqual(['{"ack":4}', '{"ack":8}', '{"ack":9}']);
  await pass(10_000);
  expect(socket?.sent).toHaveLength(3);
});

test("a reader who is slow is told an item's latest state alone, and has come as far as it has read", async () => {
  const socket = new ScriptedSocket("wss://gavel.test");
  const scripted = new ScriptedHost([{ status: 201, body: { ticket: "one" } }]);
  const options = {
    url: "https://gavel.test",
    credential: "key",
    ...scripted.host(),
    openSocket: () => socket,
  };
  const following = createClient(options).follow(["lamp", "vase"]);
  const reader = following[Symbol.asyncIterator]();
  const first = reader.next();
  await vi.advanceTimersByTimeAsync(0);
  socket.open();
  socket.tell({ number: 1, id: "a", items: [state("vase", 1), state("lamp", 1)] });
  expect((await first).value).toMatchObject({ itemId: "vase", sequence: 1 });
  for (let sequence = 2; sequence <= 500; sequence += 1) {
    socket.tell({ number: sequence, id: `m${sequence}`, items: [state("lamp", sequence)] });
  }
  expect((await reader.next()).value).toMatchObject({ itemId: "lamp", sequence: 500 });
  expect(following.position).toBeUndefined();
  const last = reader.next();
  expect(following.position).toBe("m500");
  await reader.return?.();
  expect(await last).toEqual({ done: true, value: undefined });
  expect(socket.isClosed).toBe(true);
});

test("a connection on which nothing comes is asked, and given up when nothing answers", async () => {
  const { sockets, pass } = await follow();
  const [socket] = sockets;
  socket?.open();
  await pass(20_000);
  expect(socket?.sent).toEqual(["ping"]);
  socket?.text("pong");
  await pass(44_000);
  expect(socket?.sent).toEqual(["ping", "ping"]);
  expect(sockets).toHaveLength(1);
  await pass(2_000);
  expect(socket?.isClosed).toBe(true);
  expect(sockets).toHaveLength(2);
});

test("a connection that takes no acknowledgement any more is made anew", async () => {
  const { sockets, pass } = await follow();
  sockets[0]?.open();
  sockets[0]?.tell({ number: 1, id: "a", items: [state("lamp", 1)] });
  if (sockets[0] !== undefined) sockets[0].isClosing = true;
  await pass(2_000);
  expect(sockets).toHaveLength(2);
  expect(sockets[1]?.url.searchParams.get("after")).toBe("a");
});

test("a stream of events is left at once, also where its reading knows no signal", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
  const headers = { get: (name: string) => (name === "content-type" ? "text/event-stream" : null) };
  const fetch = () => Promise.resolve({ status: 200, headers, text: () => Promise.resolve(""), body });
  const client = createClient({ url: "https://gavel.test", credential: "key", fetch });
  const reader = client.follow(["lamp"])[Symbol.asyncIterator]();
  const next = reader.next();
  await vi.advanceTimersByTimeAsync(0);
  await reader.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
  await vi.advanceTimersByTimeAsync(0);
  expect(isCancelled).toBe(true);
});

test("one that never opens is given up as well", async () => {
  const { sockets, pass } = await follow();
  await pass(46_000);
  expect(sockets[0]?.isClosed).toBe(true);
  expect(sockets).toHaveLength(2);
});

test("where no WebSocket can be opened, the same is read as events", async () => {
  const body =
    'id: a\nevent: items\ndata: {"type":"items","number":1,"id":"a","items":[{"itemId":"lamp","sequence":3}]}\n\n';
  let streams = 0;
  const { sockets, seen, pass, scripted, leave } = await follow({
    script: (url) => {
      if (url.includes("/tickets")) return undefined;
      streams += 1;
      return streams > 1 ? "silent" : { status: 200, body, headers: { "content-type": "text/event-stream" } };
    },
  });
  sockets[0]?.end(1006);
  await pass();
  sockets[1]?.end(1006);
  await pass();
  leave();
  expect(sockets).toHaveLength(2);
  const request = scripted.requests.find(({ url }) => !url.includes("/tickets"));
  expect(request?.url).toBe("https://gavel.test/v1/live?items=lamp%2Cvase");
  expect(request?.headers).toMatchObject({ accept: "text/event-stream", authorization: "Bearer key" });
  expect(seen).toEqual([{ itemId: "lamp", sequence: 3 }]);
  // The stream has ended meanwhile: the next one goes on from there.
  expect(scripted.requests.at(-1)?.url).toBe("https://gavel.test/v1/live?items=lamp%2Cvase&after=a");
});

test("a stream that was quiet until its session was over has worked: the next one does not wait longer", async () => {
  let streams = 0;
  const { scripted, leave } = await follow({
    hasSockets: false,
    script: () => {
      streams += 1;
      return streams > 6
        ? "silent"
        : { status: 200, body: ": beat\n\n", headers: { "content-type": "text/event-stream" } };
    },
  });
  leave();
  expect(scripted.sleeps).toEqual([500, 500, 500, 500, 500, 500]);
});

test("WebSockets that opened in between do not count together with those that did not", async () => {
  const { sockets, pass, scripted, leave } = await follow();
  for (let time = 0; time < 4; time += 1) {
    sockets.at(-1)?.end(1006);
    await pass(1_000);
    sockets.at(-1)?.open();
    sockets.at(-1)?.tell({ number: 1, id: "a", items: [state("lamp", time + 1)] });
    sockets.at(-1)?.end(1006);
    await pass(1_000);
  }
  leave();
  expect(scripted.requests.filter(({ url }) => !url.includes("/tickets"))).toEqual([]);
  expect(sockets).toHaveLength(9);
});

test.each([
  [
    "the ticket",
    (url: string) => (url.includes("/tickets") ? problem(403, "missing-scope", false) : undefined),
    true,
  ],
  ["the stream", () => problem(422, "too-many", false), false],
])("a refusal of %s ends it, as the same again would be refused", async (_, script, hasSockets) => {
  const { end, scripted } = await follow({ script, hasSockets });
  expect(end.error).toMatchObject({ name: "GavelProblem", retryable: false });
  expect(scripted.requests).toHaveLength(1);
});

test("a gateway that says that the client is wrong is not asked again", async () => {
  const { end, sockets, pass } = await follow();
  sockets[0]?.open();
  sockets[0]?.end(1008);
  await pass();
  expect(end.error).toMatchObject({ code: "unexpected-answer" });
  expect(sockets).toHaveLength(1);
});

test("what passes is tried for as long as it takes", async () => {
  let asked = 0;
  const { sockets, end, seen, pass } = await follow({
    script: () => ((asked += 1) <= 100 ? problem(503, "feed-unavailable", true) : undefined),
  });
  await pass();
  sockets[0]?.open();
  sockets[0]?.tell({ number: 1, id: "a", items: [state("lamp", 1)] });
  await pass();
  expect(end).toEqual({});
  expect(asked).toBe(101);
  expect(seen.map(brief)).toEqual(["lamp 1"]);
});

test("the caller's signal ends reading with its reason, and leaving the loop ends the connection", async () => {
  const controller = new AbortController();
  const aborted = await follow({ signal: controller.signal });
  const reason = new Error("the page was closed");
  controller.abort(reason);
  await aborted.pass();
  expect(aborted.end.error).toBe(reason);
  expect(aborted.sockets[0]?.isClosed).toBe(true);

  const left = await follow();
  left.sockets[0]?.open();
  left.leave();
  left.sockets[0]?.tell({ number: 1, id: "a", items: [state("lamp", 1)] });
  await left.pass(60_000);
  expect(left.sockets).toHaveLength(1);
  expect(left.sockets[0]?.isClosed).toBe(true);
});
