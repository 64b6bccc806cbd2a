import type { LiveItem } from "../../../src/live/item.ts";
import { call } from "../edge/client.ts";

export interface Message {
  readonly type: string;
  readonly number: number;
  readonly id: string;
  readonly items: readonly LiveItem[];
}

export interface FollowOptions {
  readonly after?: string | undefined;
  readonly ticket?: string;
  readonly headers?: Record<string, string>;
  /** Whether messages are acknowledged as they come. */
  readonly acknowledges?: boolean;
}

/** Asks for a live connection with these headers. */
export function askLive(
  items: readonly string[],
  { after, ticket, headers }: FollowOptions = {},
): Promise<Response> {
  const query = new URLSearchParams({ items: items.join(",") });
  if (after !== undefined) query.set("after", after);
  if (ticket !== undefined) query.set("ticket", ticket);
  return call(`/v1/live?${query.toString()}`, {
    key: ticket === undefined ? "backend" : null,
    ...(headers === undefined ? {} : { headers }),
  });
}

/** A client that follows items over a WebSocket, and remembers everything that it was told. */
export class Follower {
  readonly messages: Message[] = [];
  readonly states = new Map<string, LiveItem>();
  readonly socket: WebSocket;
  closed: { readonly code: number; readonly reason: string } | undefined;
  acknowledges: boolean;

  private constructor(socket: WebSocket, acknowledges: boolean) {
    this.socket = socket;
    this.acknowledges = acknowledges;
    socket.addEventListener("message", ({ data }) => this.take(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    socket.accept();
  }

  static async connect(items: readonly string[], options: FollowOptions = {}): Promise<Follower> {
    const headers = { upgrade: "websocket", ...options.headers };
    const response = await askLive(items, { ...options, headers });
    const { webSocket } = response;
    if (webSocket === null) throw new Error(`not upgraded: ${response.status} ${await response.text()}`);
    return new Follower(webSocket, options.acknowledges ?? true);
  }

  private take(data: string): void {
    if (data === "pong") return;
    const message = JSON.parse(data) as Message;
    this.messages.push(message);
    for (const item of message.items) this.states.set(item.itemId, item);
    if (this.acknowledges) this.acknowledge(message.number);
  }

  acknowledge(number: number): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ ack: number }));
  }

  /** What to come back with. */
  get last(): string | undefined {
    return this.messages.at(-1)?.id;
  }

  state(itemId: string): LiveItem | undefined {
    return this.states.get(itemId);
  }

  /** The amount of the highest bid that it was told. */
  amount(itemId: string): number | undefined {
    const state = this.state(itemId);
    return state === undefined || state.status === "unknown" ? undefined : state.highest?.amount;
  }

  close(): void {
    this.socket.close(1000, "done");
  }
}
