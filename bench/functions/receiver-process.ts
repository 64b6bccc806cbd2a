/**
 * What functions over HTTP call, in a process of its own: `/slow/…` takes 5 ms, `/state/…` keeps each
 * key's highest amount and its count in SQLite, on disk before it answers. Both note when a call
 * begins, and what came out of order or side by side that must not.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Arrivals } from "./receiver.ts";

const slowMs = 5;

interface Event {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly amount: number;
}

let arrivals: Arrivals = { ids: [], times: [], violations: [] };

/** What came last of each lane of a group, and whether its call is still open. */
const lanes = new Map<string, { offset: number; isOpen: boolean }>();

function begin(group: string, events: readonly Event[]): () => void {
  const now = performance.timeOrigin + performance.now();
  const open = new Set<{ offset: number; isOpen: boolean }>();
  for (const { partition, offset, key } of events) {
    arrivals.ids.push(`${partition}/${offset}`);
    arrivals.times.push(now);
    const name = `${group}/${group.startsWith("ordered") ? partition : key}`;
    const lane = lanes.get(name) ?? { offset: -1, isOpen: false };
    lanes.set(name, lane);
    if (lane.isOpen && !open.has(lane)) arrivals.violations.push(`${name} overlaps at ${offset}`);
    if (offset <= lane.offset) arrivals.violations.push(`${name} has ${offset} after ${lane.offset}`);
    lane.offset = offset;
    lane.isOpen = true;
    open.add(lane);
  }
  return () => {
    for (const lane of open) lane.isOpen = false;
  };
}

/** A transaction for all that came in one turn of the event loop, as a database server commits in groups. */
class States {
  readonly directory = mkdtempSync(join(tmpdir(), "gavel-bench-receiver-"));
  readonly #database = new DatabaseSync(join(this.directory, "states.sqlite"));
  readonly #upsert;
  #waiting: { readonly group: string; readonly events: readonly Event[]; readonly done: () => void }[] = [];

  constructor() {
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    this.#database.exec(
      `CREATE TABLE states (name TEXT PRIMARY KEY, highest INTEGER NOT NULL, count INTEGER NOT NULL,
         last TEXT NOT NULL) WITHOUT ROWID`,
    );
    this.#upsert = this.#database.prepare(
      `INSERT INTO states VALUES (?1, ?2, 1, ?3) ON CONFLICT (name) DO UPDATE SET
         highest = max(highest, ?2), count = count + 1, last = ?3 WHERE last <> ?3`,
    );
  }

  apply(group: string, events: readonly Event[], done: () => void): void {
    this.#waiting.push({ group, events, done });
    if (this.#waiting.length === 1) setImmediate(() => this.#commit());
  }

  #commit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#database.exec("BEGIN");
    for (const { group, events } of waiting) {
      for (const { partition, offset, key, amount } of events)
        this.#upsert.run(`${group}/${key}`, amount, `${partition}/${offset}`);
    }
    this.#database.exec("COMMIT");
    for (const { done } of waiting) done();
  }

  close(): void {
    this.#database.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

interface Data {
  readonly amount?: number;
  readonly data?: { readonly amount?: number };
}

/** One event in headers, or a batch of them in the body. */
function eventsOf({ headers }: IncomingMessage, body: string): Event[] {
  if (headers["content-type"]?.startsWith("application/cloudevents-batch") !== true)
    return [
      {
        partition: Number(headers["ce-gavelpartition"]),
        offset: Number(headers["ce-gaveloffset"]),
        key: String(headers["ce-partitionkey"]),
        amount: amountOf(JSON.parse(body) as Data),
      },
    ];
  type BatchedEvent = { gavelpartition: number; gaveloffset: string; partitionkey: string; data: Data };
  return (JSON.parse(body) as BatchedEvent[]).map((event) => ({
    partition: event.gavelpartition,
    offset: Number(event.gaveloffset),
    key: event.partitionkey,
    amount: amountOf(event.data),
  }));
}

function amountOf({ amount, data }: Data): number {
  return amount ?? data?.amount ?? 0;
}

const states = new States();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", () => answer(request, response, Buffer.concat(chunks).toString()));
});

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const [, kind, group = ""] = request.url?.split("/") ?? [];
  const events = eventsOf(request, body);
  const end = begin(group, events);
  const finish = (): void => {
    end();
    response.writeHead(204).end();
  };
  if (kind === "slow") setTimeout(finish, slowMs);
  else states.apply(group, events, finish);
}

server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object")
    process.send?.({ kind: "ready", url: `http://127.0.0.1:${address?.port}` });
});
process.on("message", () => {
  process.send?.(arrivals);
  arrivals = { ids: [], times: [], violations: [] };
});
function stop(): void {
  states.close();
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("disconnect", stop);
