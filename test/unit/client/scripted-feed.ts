import type { Socket } from "../../../client/host.ts";
import type { LiveItem, LiveMessage } from "../../../client/follow/message.ts";

type Listener = (event: { data: unknown; code: number }) => void;

/** The gateway's end of one WebSocket. */
export class ScriptedSocket implements Socket {
  readonly url: URL;
  readonly sent: string[] = [];
  isClosed = false;
  /** It takes nothing any more, and has not told that it ends. */
  isClosing = false;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(url: string) {
    this.url = new URL(url);
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    if (this.isClosing) throw new Error("it is closing");
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  private fire(type: string, event: { data?: unknown; code?: number } = {}): void {
    for (const listener of this.listeners.get(type) ?? []) listener({ data: undefined, code: 0, ...event });
  }

  open(): void {
    this.fire("open");
  }

  tell(message: LiveMessage): void {
    this.fire("message", { data: JSON.stringify({ type: "items", ...message }) });
  }

  text(data: string): void {
    this.fire("message", { data });
  }

  /** The connection ends with a code. */
  end(code: number): void {
    this.fire("close", { code });
  }
}

/** An item's state as a feed tells it. */
export function state(itemId: string, sequence: number, amount = sequence): LiveItem {
  return {
    itemId,
    sequence,
    status: "open",
    highest: { amount, bidderId: "lin", bidId: `bid-${amount}` },
    bids: sequence,
    rejected: 0,
    bidders: 1,
    reserveMet: true,
    closesAt: "2026-12-01T00:00:00.000Z",
    partition: 0,
    position: sequence,
    asOf: "2026-11-26T00:00:00.000Z",
  };
}
