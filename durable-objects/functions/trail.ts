import type { Call } from "./calls-under-way.ts";
import {
  decodeCalls,
  encodeCall,
  noOrigin,
  type Origin,
  originBehind,
  type TrailCall,
} from "./trail-codec.ts";

/** Calls that ride in the ledger's row; then they move to a page of their own. */
const tailCalls = 256;
const tailCharacters = 8_000;

export interface TrailPage {
  readonly page: number;
  /** Lowest and highest offset in it. */
  readonly lowest: number;
  readonly highest: number;
  readonly calls: string;
}

export interface TrailPages {
  /** Adds a page and drops what is too old. Answers the highest offset that is dropped, -1 where none is. */
  add(page: TrailPage): number;
}

/** The last call of a record, as far as it is remembered. */
export type RememberedCall = Omit<TrailCall, "offsets">;

/**
 * Recent calls of one function on one partition, so that an event can be followed to its end. Its tail
 * rides in the row that is written whenever a call ends, which costs no row; every 256th call takes the
 * tail to a page, and an old page goes: two rows then, less than one for a hundred records.
 */
export class Trail {
  private text = "";
  private calls = 0;
  private lowest = Number.POSITIVE_INFINITY;
  private highest = -1;
  private origin: Origin = noOrigin;
  private page = 0;
  /** Of offsets up to it a call may have been forgotten; of others none was. */
  private forgottenUpTo: number;

  /**
   * @param stored as the last transaction wrote it; "" where none has
   * @param finishedUpTo highest offset that may have been called before there was a trail, else -1
   */
  constructor(stored: string, finishedUpTo: number) {
    this.forgottenUpTo = finishedUpTo;
    if (stored === "") return;
    const end = stored.indexOf("|");
    const [page = 0, forgotten = -1] = stored.slice(0, end).split(",").map(Number);
    this.page = page;
    this.forgottenUpTo = forgotten;
    const text = stored.slice(end + 1);
    for (const call of decodeCalls(text)) this.add(call);
  }

  /**
   * Notes what a call has finished of its records.
   * @param isDone asked for the index of each that is finished; the others became dead letters
   */
  note(call: Pick<Call, "records" | "startedAt">, isDone: (index: number) => boolean, now: number): void {
    const done = new Map<number, number[]>();
    const ended = new Map<number, number[]>();
    call.records.forEach(({ attempts, isFinished, offset }, index) => {
      if (!isFinished) return;
      // One that is done has this attempt beside those that failed; of one that ended it counts already.
      if (isDone(index)) addTo(done, attempts + 1, offset);
      else addTo(ended, attempts, offset);
    });
    const { startedAt } = call;
    for (const [attempts, offsets] of done)
      this.add({ startedAt, endedAt: now, attempts, isDone: true, offsets });
    for (const [attempts, offsets] of ended)
      this.add({ startedAt, endedAt: now, attempts, isDone: false, offsets });
  }

  private add(call: TrailCall): void {
    const line = encodeCall(call, this.origin);
    this.origin = originBehind(call);
    this.text = this.calls === 0 ? line : `${this.text};${line}`;
    this.calls += 1;
    this.lowest = Math.min(this.lowest, call.offsets[0] ?? Number.POSITIVE_INFINITY);
    this.highest = Math.max(this.highest, this.origin.offset);
  }

  /** What goes into the row that is written anyway; inside its transaction. */
  write(pages: TrailPages): string {
    if (this.calls >= tailCalls || this.text.length >= tailCharacters) {
      const { highest, lowest, page, text: calls } = this;
      this.forgottenUpTo = Math.max(this.forgottenUpTo, pages.add({ page, lowest, highest, calls }));
      this.page += 1;
      this.empty();
    }
    return `${this.page},${this.forgottenUpTo}|${this.text}`;
  }

  private empty(): void {
    this.text = "";
    this.calls = 0;
    this.lowest = Number.POSITIVE_INFINITY;
    this.highest = -1;
    this.origin = noOrigin;
  }

  /** Whether a call of the offset would still be known. */
  reaches(offset: number): boolean {
    return offset > this.forgottenUpTo;
  }

  /** The last calls of offsets. @param pages texts of pages that may have them, newest first */
  find(offsets: ReadonlySet<number>, pages: (lowest: number, highest: number) => Iterable<string>) {
    const found = new Map<number, RememberedCall>();
    findIn(this.text, offsets, found);
    const missing = [...offsets].filter((offset) => !found.has(offset));
    if (missing.length === 0) return found;
    for (const text of pages(Math.min(...missing), Math.max(...missing))) {
      findIn(text, offsets, found);
      if (found.size === offsets.size) break;
    }
    return found;
  }
}

/** Newer calls are looked at first: what is found already stays. */
function findIn(text: string, offsets: ReadonlySet<number>, found: Map<number, RememberedCall>): void {
  for (const call of decodeCalls(text).toReversed()) {
    for (const offset of call.offsets) if (offsets.has(offset) && !found.has(offset)) found.set(offset, call);
  }
}

function addTo(groups: Map<number, number[]>, attempts: number, offset: number): void {
  const offsets = groups.get(attempts);
  if (offsets === undefined) groups.set(attempts, [offset]);
  else offsets.push(offset);
}
