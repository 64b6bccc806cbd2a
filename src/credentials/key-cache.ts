import type { Clock } from "../lib/clock.ts";
import { GenerationalCache } from "../lib/generational-cache.ts";
import type { StoredKey } from "./key-store.ts";

/** A key that was read longer ago is read again, beside the request that uses it meanwhile. */
const freshMs = 30_000;
/** Nor is it used beyond this: what was revoked opens nothing a minute later, whatever fails. */
const longestUseMs = 60_000;
/** How long an id is known to be no key's: a new key may take as long to be taken everywhere. */
const unknownMs = 10_000;
/** After this a read is taken for one that died with its request. */
const longestReadMs = 2_000;
/** Between two looks for what another request reads. */
const lookMs = 5;
/** Entries of one generation; two are kept. */
const capacity = 1_000;

interface Entry {
  readonly key: StoredKey;
  /** When its read began: what the database has learned since is not in it. */
  readonly readAt: number;
  /** When a read beside a request last began. */
  refreshedAt: number;
}

/** What a look-up asks of the request that it is for. */
export interface LookUpRequest {
  /** Before the database is asked for an id of which nothing is known. @throws to ask for nothing */
  beforeReading(): Promise<void>;
  /** Keeps work alive that the request does not wait for. */
  waitUntil(work: Promise<unknown>): void;
}

type Read = (id: string) => Promise<StoredKey | null>;

/**
 * The database's keys in the memory of one isolate. Workers forbid a request to wait for another's
 * I/O, so that no promise is shared: a request that finds its key being read looks again a moment
 * later, and of many at once, one asks.
 */
export class KeyCache {
  readonly #read: Read;
  readonly #clock: Clock;
  readonly #known = new GenerationalCache<string, Entry>(capacity);
  // Apart, so that ids that somebody makes up drive out no key.
  readonly #unknown = new GenerationalCache<string, number>(capacity);
  /** When each id's read began. */
  readonly #reads = new Map<string, number>();

  constructor(read: Read, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** @throws what reading throws, and what `beforeReading` does. */
  async find(id: string, request: LookUpRequest): Promise<StoredKey | null> {
    for (;;) {
      const kept = this.#keptOf(id, request);
      if (kept !== undefined) return kept;
      if (!this.#isBeingRead(id)) break;
      await this.#clock.sleep(lookMs);
    }
    this.#reads.set(id, this.#clock.now());
    try {
      await request.beforeReading();
      return await this.#readNow(id);
    } finally {
      this.#reads.delete(id);
    }
  }

  /** What is kept of an id was changed by this isolate. */
  forget(id: string): void {
    this.#known.delete(id);
    this.#unknown.delete(id);
  }

  #keptOf(id: string, request: LookUpRequest): StoredKey | null | undefined {
    const now = this.#clock.now();
    const entry = this.#known.get(id);
    if (entry !== undefined && now - entry.readAt < longestUseMs) {
      if (now - entry.readAt >= freshMs) this.#refresh(id, entry, request);
      return entry.key;
    }
    const readAt = this.#unknown.get(id);
    return readAt !== undefined && now - readAt < unknownMs ? null : undefined;
  }

  /** A read that fails leaves the entry as it is; the next request's may do better. */
  #refresh(id: string, entry: Entry, request: LookUpRequest): void {
    const now = this.#clock.now();
    if (now - entry.refreshedAt < longestReadMs) return;
    entry.refreshedAt = now;
    request.waitUntil(this.#readNow(id).catch(() => undefined));
  }

  async #readNow(id: string): Promise<StoredKey | null> {
    const readAt = this.#clock.now();
    const key = await this.#read(id);
    // A slower read of an earlier state does not replace a later one.
    if ((this.#known.get(id)?.readAt ?? 0) > readAt) return key;
    this.forget(id);
    if (key === null) this.#unknown.set(id, readAt);
    else this.#known.set(id, { key, readAt, refreshedAt: readAt });
    this.#known.trim();
    this.#unknown.trim();
    return key;
  }

  /** A request that ended in the middle of its read left a mark behind. */
  #isBeingRead(id: string): boolean {
    if (this.#reads.size > capacity) this.#reads.clear();
    const since = this.#reads.get(id);
    return since !== undefined && this.#clock.now() - since < longestReadMs;
  }
}
