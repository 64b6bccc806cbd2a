import type { Clock } from "../../src/lib/clock.ts";
import { sha256 } from "../../src/lib/sha256.ts";
import { ticketMs } from "../../src/live/protocol.ts";
import type { PartitionStorage } from "../dependencies.ts";
import type { Holder, TicketAnswer } from "./rpc.ts";

/** Tickets that wait to be used, in one feed. */
const mostTickets = 10_000;

export interface TicketsHost {
  /** In front of each ticket: which feed has it. */
  readonly number: number;
  readonly storage: PartitionStorage;
  readonly clock: Pick<Clock, "now">;
  /** Unguessable; of a URL's characters. */
  newSecret(): string;
}

/** Tickets, by their hashes: each is good once, and for a minute. */
export class Tickets {
  private readonly host: TicketsHost;

  constructor(host: TicketsHost) {
    this.host = host;
  }

  async issue(holder: Holder): Promise<TicketAnswer> {
    const { storage, clock, number } = this.host;
    if (this.count() >= mostTickets) this.removeExpired();
    if (this.count() >= mostTickets) return { kind: "full" };
    const ticket = `${number}.${this.host.newSecret()}`;
    const hash = sha256(ticket);
    const expiresAt = clock.now() + ticketMs;
    storage.run(
      `INSERT INTO tickets (hash, holder, expires_at) VALUES (?, ?, ?)`,
      hash,
      JSON.stringify(holder),
      expiresAt,
    );
    return { kind: "issued", ticket, expiresAt };
  }

  /** Taken and deleted in one statement, so that two who come with it at once are not both let in. */
  async redeem(ticket: string): Promise<Holder | null> {
    const hash = sha256(ticket);
    const [row] = this.host.storage.all<{ holder: string; expires_at: number }>(
      `DELETE FROM tickets WHERE hash = ? RETURNING holder, expires_at`,
      hash,
    );
    if (row === undefined || row.expires_at <= this.host.clock.now()) return null;
    return JSON.parse(row.holder) as Holder;
  }

  removeExpired(): void {
    this.host.storage.run(`DELETE FROM tickets WHERE expires_at <= ?`, this.host.clock.now());
  }

  count(): number {
    return this.host.storage.all<{ count: number }>(`SELECT count(*) AS count FROM tickets`)[0]?.count ?? 0;
  }
}

/** 24 random bytes in base64url. */
export function newTicketSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
