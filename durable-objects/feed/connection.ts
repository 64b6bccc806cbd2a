import { encodeCursor, fingerprintOf } from "../../src/live/cursor.ts";
import { isNews } from "../../src/live/item.ts";
import {
  type Ending,
  endings,
  mostRepeatedAcknowledgements,
  mostUnacknowledged,
  readAcknowledgement,
} from "../../src/live/protocol.ts";
import type { FeedItem } from "./item.ts";
import type { Holder } from "./rpc.ts";

/** A client's WebSocket. */
export interface FeedSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Kept with the socket while the object is not in memory. */
  attach(attachment: Attachment): void;
}

/** A connection as it is kept with its socket. */
export interface Attachment {
  readonly holder: Holder;
  readonly items: readonly string[];
  /** What the client was sent of each item, as in a cursor. */
  readonly versions: readonly string[];
  readonly sent: number;
  readonly acknowledged: number;
  readonly repeated: number;
  /** Since when the client owes an acknowledgement, if it does. */
  readonly since: number;
  readonly endsAt: number;
  /** Something has changed that it was not sent. */
  readonly isBehind: boolean;
}

/**
 * One client: what it has, what is on its way to it, and how far it has come. So many messages are on
 * their way at most; behind them an item waits as itself, and is told as it is when its turn comes.
 */
export class Connection {
  readonly holder: Holder;
  /** When the session is over. */
  readonly endsAt: number;
  /** Sorted by id. */
  readonly items: readonly FeedItem[];
  private readonly socket: FeedSocket;
  private readonly fingerprint: string;
  private readonly versions: string[];
  private readonly changed = new Set<FeedItem>();
  private sent: number;
  private acknowledged: number;
  private repeated: number;
  private since: number;

  /** @param items those of `from`, in its order */
  constructor(socket: FeedSocket, items: readonly FeedItem[], from: Omit<Attachment, "items">) {
    this.socket = socket;
    this.items = items;
    this.fingerprint = fingerprintOf(items.map(({ itemId }) => itemId));
    this.holder = from.holder;
    this.endsAt = from.endsAt;
    this.versions = [...from.versions];
    this.sent = from.sent;
    this.acknowledged = from.acknowledged;
    this.repeated = from.repeated;
    this.since = from.since;
    if (from.isBehind) for (const item of items) this.changed.add(item);
    for (const item of items) item.connections.add(this);
  }

  /** Nothing is told any more. */
  leave(): void {
    for (const item of this.items) item.connections.delete(this);
  }

  /** The version that the client has, or has on its way; empty where it has none. */
  versionOf(item: FeedItem): string {
    return this.versions[this.items.indexOf(item)] ?? "";
  }

  /** An item may have changed: `flush` tells. */
  concern(item: FeedItem): void {
    this.changed.add(item);
  }

  /** Tells the client what it does not have, unless too much is on its way already. */
  flush(now: number): void {
    if (this.unacknowledged >= mostUnacknowledged) return;
    const told: string[] = [];
    for (const item of this.changed) {
      const { state } = item;
      // It comes with the partition's answer.
      if (state === undefined) continue;
      this.changed.delete(item);
      const version = this.versionOf(item);
      if (!isNews(version, state.version, item.settled.has(version))) continue;
      this.versions[this.items.indexOf(item)] = state.version;
      told.push(state.json);
    }
    if (told.length === 0) return;
    if (this.unacknowledged === 0) this.since = now;
    this.sent += 1;
    const id = encodeCursor(this.fingerprint, this.versions);
    this.socket.send(`{"type":"items","number":${this.sent},"id":"${id}","items":[${told.join(",")}]}`);
  }

  /** Messages on their way. */
  get unacknowledged(): number {
    return this.sent - this.acknowledged;
  }

  /** Takes a client's message; answers how the connection ends where it may not be sent. */
  receive(message: string | ArrayBuffer, now: number): Ending | undefined {
    const number = readAcknowledgement(message);
    if (typeof number !== "number") return number;
    if (number > this.sent) return endings.notSent;
    if (number > this.acknowledged) {
      this.acknowledged = number;
      this.since = now;
      this.flush(now);
      return undefined;
    }
    this.repeated += 1;
    return this.repeated > mostRepeatedAcknowledgements ? endings.repeated : undefined;
  }

  /** Whether the client has owed an acknowledgement for too long. */
  isTooSlow(now: number, timeoutMs: number): boolean {
    return this.unacknowledged > 0 && now - this.since >= timeoutMs;
  }

  close({ code, reason }: Ending): void {
    this.socket.close(code, reason);
  }

  /** Keeps with the socket where the client is. */
  save(): void {
    const { holder, versions, sent, acknowledged, repeated, since, endsAt } = this;
    this.socket.attach({
      holder,
      items: this.items.map(({ itemId }) => itemId),
      versions,
      sent,
      acknowledged,
      repeated,
      since,
      endsAt,
      isBehind: this.changed.size > 0,
    });
  }
}
