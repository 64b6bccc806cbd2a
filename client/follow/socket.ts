import type { Gateway } from "../gateway.ts";
import { searchOf } from "../gateway.ts";
import { GavelProblem } from "../problem.ts";
import type { Socket } from "../host.ts";
import { type Connect, type Ending, longestSilenceMs } from "./connection.ts";
import { readMessage } from "./message.ts";

/** Messages that may stay unanswered; the gateway sends 8 before it waits. */
const mostUnacknowledged = 4;
const acknowledgeWithinMs = 2_000;
const pingEveryMs = 20_000;

const sessionOver = 4000;
/** Codes by which the gateway says that the client is wrong: the same again would be as well. */
const refusals = new Set([1003, 1008, 1009]);

interface Ticket {
  readonly ticket: string;
}

/** A WebSocket with a ticket, since browsers send no credential with one. */
export function socketConnection(gateway: Gateway, open: (url: string) => Socket, items: string): Connect {
  return async (after, signal, deliver) => {
    const { ticket } = await gateway.call<Ticket>({ method: "POST", path: "/v1/live/tickets" }, { signal });
    const url = `${gateway.url}/v1/live${searchOf({ items, after, ticket })}`.replace(/^http/, "ws");
    return new SocketConnection(open(url), deliver).ended(signal);
  };
}

class SocketConnection {
  private readonly socket: Socket;
  private readonly end: Promise<Ending>;
  private resolve: (ending: Ending) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private isOpen = false;
  private newest = 0;
  private acknowledged = 0;
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(socket: Socket, deliver: Parameters<Connect>[2]) {
    this.socket = socket;
    this.end = new Promise((resolve, reject) => {
      [this.resolve, this.reject] = [resolve, reject];
    });
    socket.addEventListener("open", () => {
      this.isOpen = true;
      this.isAlive();
    });
    socket.addEventListener("message", ({ data }) => {
      this.isAlive();
      const message = typeof data === "string" ? readMessage(data) : undefined;
      if (message === undefined) return;
      deliver(message);
      this.received(message.number);
    });
    socket.addEventListener("close", ({ code }) => this.closed(code));
    socket.addEventListener("error", () => this.closed(undefined));
  }

  /** Until the connection ends, or the signal ends it. */
  async ended(signal: AbortSignal): Promise<Ending> {
    const abort = (): void => this.reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    // One that never opens is as silent as one that broke.
    this.isAlive();
    try {
      return await this.end;
    } finally {
      signal.removeEventListener("abort", abort);
      for (const timer of this.timers.values()) clearTimeout(timer);
      this.socket.close();
    }
  }

  private received(number: number): void {
    this.newest = Math.max(this.newest, number);
    if (this.newest - this.acknowledged >= mostUnacknowledged) this.acknowledge();
    else if (!this.timers.has("acknowledge")) {
      this.after("acknowledge", acknowledgeWithinMs, () => this.acknowledge());
    }
  }

  private acknowledge(): void {
    this.clear("acknowledge");
    this.acknowledged = this.newest;
    this.say(`{"ack":${this.newest}}`);
  }

  /** One that is closing takes nothing any more, and not everywhere in silence. */
  private say(text: string): void {
    try {
      this.socket.send(text);
    } catch {
      this.resolve("cut");
    }
  }

  /** Something came: whether more does is asked in a while, and given up in a longer one. */
  private isAlive(): void {
    this.after("silence", longestSilenceMs, () => this.resolve("cut"));
    this.after("ping", pingEveryMs, () => {
      if (this.isOpen) this.say("ping");
    });
  }

  private after(name: string, milliseconds: number, act: () => void): void {
    this.clear(name);
    this.timers.set(name, setTimeout(act, milliseconds));
  }

  private clear(name: string): void {
    const timer = this.timers.get(name);
    // Browsers and Workers do not agree on what stands for none.
    if (timer !== undefined) clearTimeout(timer);
    this.timers.delete(name);
  }

  private closed(code: number | undefined): void {
    if (code !== undefined && refusals.has(code)) this.reject(refusal(code));
    else if (code === sessionOver) this.resolve("over");
    else this.resolve(this.isOpen ? "cut" : "closed");
  }
}

function refusal(code: number): GavelProblem {
  const detail = `The gateway has ended the connection with ${code}: this client does not speak as it does`;
  const title = "The connection was refused";
  return new GavelProblem({
    status: 0,
    code: "unexpected-answer",
    title,
    detail,
    retryable: false,
    errors: [],
  });
}
