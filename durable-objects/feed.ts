import { DurableObject } from "cloudflare:workers";
import { configFromEnv } from "../src/config.ts";
import { findRevoked } from "../src/credentials/key-store.ts";
import { createDatabase } from "../src/database.ts";
import type { Env } from "../src/env.ts";
import { partitionFor } from "../src/kafka/partitioner.ts";
import { systemClock } from "../src/lib/clock.ts";
import { createConsoleLogger } from "../src/lib/log.ts";
import type { LiveItem } from "../src/live/item.ts";
import type { Attachment, FeedSocket } from "./feed/connection.ts";
import { FeedCore } from "./feed/core.ts";
import { newTicketSecret } from "./feed/tickets.ts";
import type {
  ConnectQuery,
  ConnectRefusal,
  DeliverAnswer,
  FeedFigures,
  FeedRpc,
  Holder,
  TicketAnswer,
} from "./feed/rpc.ts";
import { platformStorage } from "./storage/platform.ts";

/**
 * The Durable Object of one feed, named `feed/{number}`: a part of all clients that follow items. Wires the
 * platform to `FeedCore`, which does the work. Its WebSockets may hibernate: a feed in which nothing
 * changes is not in memory.
 */
export class Feed extends DurableObject<Env> implements FeedRpc {
  private readonly core: FeedCore;
  private readonly sockets = new WeakMap<WebSocket, FeedSocket>();

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const config = configFromEnv(env);
    const name = context.id.name ?? "";
    this.core = new FeedCore({
      name,
      number: numberIn(name),
      storage: platformStorage(context.storage),
      clock: systemClock,
      logger: createConsoleLogger(config.logLevel),
      random: Math.random,
      newSecret: newTicketSecret,
      settings: config.live,
      partitionOf: (itemId) => partitionFor(itemId, config.partitionCount),
      findRevoked: (keyIds) => findRevoked(createDatabase(env.DATABASE, systemClock), keyIds),
      follow: (partition, query) => env.PARTITIONS.getByName(`auction/${partition}`).follow(query),
    });
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const open = context.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
    const kept = open.map((socket) => [this.socketOf(socket), attachmentOf(socket)] as const);
    void context.blockConcurrencyWhile(() => this.core.start(kept));
  }

  override async fetch(request: Request): Promise<Response> {
    const query = JSON.parse(new URL(request.url).searchParams.get("query") ?? "") as ConnectQuery;
    const admission = await this.core.admit(query).catch(() => refused("unavailable"));
    if (admission.kind !== "admitted") return Response.json(admission, { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    try {
      this.ctx.acceptWebSocket(server);
    } catch (error) {
      admission.drop();
      throw error;
    }
    admission.take(this.socketOf(server));
    return new Response(null, { status: 101, webSocket: client });
  }

  async deliver(items: readonly LiveItem[]): Promise<DeliverAnswer> {
    return this.core.deliver(items);
  }

  async issueTicket(holder: Holder): Promise<TicketAnswer> {
    const answer = await this.core.tickets.issue(holder);
    this.core.arm();
    return answer;
  }

  redeemTicket(ticket: string): Promise<Holder | null> {
    return this.core.tickets.redeem(ticket);
  }

  async figures(): Promise<FeedFigures> {
    return this.core.figures();
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.core.receive(this.socketOf(socket), message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.core.closed(this.socketOf(socket));
  }

  override webSocketError(socket: WebSocket): void {
    this.core.closed(this.socketOf(socket));
  }

  override alarm(): Promise<void> {
    return this.core.alarm();
  }

  private socketOf(socket: WebSocket): FeedSocket {
    const known = this.sockets.get(socket);
    if (known !== undefined) return known;
    const made = feedSocket(socket);
    this.sockets.set(socket, made);
    return made;
  }
}

/** A client may be gone at any moment: the platform tells of it by itself. */
function feedSocket(socket: WebSocket): FeedSocket {
  const ifOpen = (use: () => void): void => {
    try {
      use();
    } catch {
      // Nothing is lost: its client comes back with the last `id` that it has.
    }
  };
  return {
    send: (text) => ifOpen(() => socket.send(text)),
    close: (code, reason) => ifOpen(() => socket.close(code, reason)),
    attach: (attachment) => ifOpen(() => socket.serializeAttachment(attachment)),
  };
}

function attachmentOf(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}

function refused(kind: ConnectRefusal["kind"]): ConnectRefusal {
  return { kind };
}

function numberIn(name: string): number {
  const [, number] = /^feed\/(\d+)$/.exec(name) ?? [];
  if (number === undefined) throw new Error(`no feed is named ${name}`);
  return Number(number);
}
