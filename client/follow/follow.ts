import type { Gateway } from "../gateway.ts";
import { GavelProblem } from "../problem.ts";
import type { Connect, Ending } from "./connection.ts";
import { eventsConnection } from "./events.ts";
import { Inbox } from "./inbox.ts";
import type { LiveItem } from "./message.ts";
import { socketConnection } from "./socket.ts";

export interface FollowOptions {
  /** Ends it: reading rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The `position` of an earlier `Following` of the same items: what changed since is told first. */
  readonly after?: string;
  /** Unless said: a WebSocket where there are any, and the client is given no `fetch` of its own. */
  readonly transport?: "websocket" | "events";
}

const firstDelayMs = 1_000;
const longestDelayMs = 30_000;
/** WebSockets that could not be opened, one after the other, before events are tried instead. */
const mostClosed = 2;

/**
 * The latest states of items, as they change: `for await (const item of following)`. A connection that
 * breaks is made again and goes on where it was. A slow reader is told an item's latest state when it
 * comes to it, and not each step. Ends when the loop is left.
 */
export class Following implements AsyncIterable<LiveItem> {
  private readonly gateway: Gateway;
  private readonly connections: { readonly socket?: Connect; readonly events: Connect };
  private readonly signal: AbortSignal | undefined;
  private at: string | undefined;

  constructor(gateway: Gateway, itemIds: readonly string[], { signal, after, transport }: FollowOptions) {
    const { openSocket } = gateway.host;
    const items = itemIds.join(",");
    this.gateway = gateway;
    this.signal = signal;
    this.at = after;
    const events = eventsConnection(gateway, items);
    this.connections =
      transport === "events" || openSocket === undefined
        ? { events }
        : { events, socket: socketConnection(gateway, openSocket, items) };
  }

  /** Up to where everything was read: `after` of whoever goes on later, with the same items. */
  get position(): string | undefined {
    return this.at;
  }

  /** An iterator of its own, and not a generator: that could be left only while nobody waits for it. */
  [Symbol.asyncIterator](): AsyncIterator<LiveItem, undefined> {
    const inbox = new Inbox(this.at);
    const left = new AbortController();
    const { signal } = this;
    const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
    this.keepConnected(inbox, either).catch((error: unknown) => inbox.fail(error));
    return {
      next: async () => {
        // Asked for more: what was read last was dealt with.
        if (inbox.isRead) this.at = inbox.received;
        const value = await inbox.take();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: () => {
        inbox.close();
        left.abort();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** One connection after the other, until the signal, or a refusal that would come again. */
  private async keepConnected(inbox: Inbox, signal: AbortSignal): Promise<never> {
    let failures = 0;
    let closed = 0;
    for (;;) {
      signal.throwIfAborted();
      const { socket, events } = this.connections;
      const connect = socket === undefined || closed >= mostClosed ? events : socket;
      let hasCome = false;
      const ending = await this.once(connect, inbox.received, signal, (message) => {
        hasCome = true;
        inbox.add(message);
      });
      const hasWorked = hasCome || ending === "over";
      if (ending === "closed") closed += 1;
      else if (hasWorked && connect === socket) closed = 0;
      failures = hasWorked ? 0 : failures + 1;
      const bound = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, failures - 1));
      await this.gateway.host.sleep(this.gateway.host.random() * bound, signal);
    }
  }

  /** What may pass is a connection that was cut. @throws what would come again */
  private async once(...[connect, ...how]: [Connect, ...Parameters<Connect>]): Promise<Ending> {
    try {
      return await connect(...how);
    } catch (error) {
      const [, signal] = how;
      signal.throwIfAborted();
      if (error instanceof GavelProblem && !error.retryable) throw error;
      return "cut";
    }
  }
}
