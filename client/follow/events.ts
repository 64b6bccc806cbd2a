import type { Gateway } from "../gateway.ts";
import type { ByteStream } from "../host.ts";
import { type Connect, type Ending, longestSilenceMs } from "./connection.ts";
import { EventParser } from "./event-parser.ts";
import { readMessage } from "./message.ts";

/** Server-sent events by `fetch`, which can send a credential: for where there is no WebSocket. */
export function eventsConnection(gateway: Gateway, items: string): Connect {
  return async (after, signal, deliver) => {
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    let timer = setTimeout(() => silence.abort(), longestSilenceMs);
    const isAlive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), longestSilenceMs);
    };
    try {
      const query = { items, after };
      const stream = await gateway.stream({ method: "GET", path: "/v1/live", query }, {}, either);
      return await read(stream, either, isAlive, deliver);
    } catch (error) {
      signal.throwIfAborted();
      if (silence.signal.aborted) return "cut";
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

async function read(
  stream: ByteStream,
  signal: AbortSignal,
  isAlive: () => void,
  deliver: Parameters<Connect>[2],
): Promise<Ending> {
  const decoder = new TextDecoder();
  const parser = new EventParser((data) => {
    const message = readMessage(data);
    if (message !== undefined) deliver(message);
  });
  let ending: Ending = "cut";
  const reader = stream.getReader();
  // The request's own signal does not end everywhere what is being read.
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return ending;
      // A session of items on which nothing happens has worked as well.
      ending = "over";
      isAlive();
      parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
