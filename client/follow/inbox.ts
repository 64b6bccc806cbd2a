import type { LiveItem, LiveMessage } from "./message.ts";

/**
 * What came and was not read yet: of each item the latest state alone, so that a slow reader misses
 * steps and never the last one, and nothing grows. A state that is told twice is read once.
 */
export class Inbox {
  private readonly unread = new Map<string, LiveItem>();
  private readonly known = new Map<string, string>();
  private id: string | undefined;
  private wake: () => void = () => undefined;
  private end: { readonly error?: unknown } | undefined;

  /** @param after where the reader was before */
  constructor(after: string | undefined) {
    this.id = after;
  }

  /** The id of the last message: what the next connection goes on from. */
  get received(): string | undefined {
    return this.id;
  }

  /** Whether everything that came was read. */
  get isRead(): boolean {
    return this.unread.size === 0;
  }

  add({ id, items }: LiveMessage): void {
    this.id = id;
    for (const item of items) {
      const content = contentOf(item);
      if (this.known.get(item.itemId) === content) continue;
      this.known.set(item.itemId, content);
      // Behind those that have waited longer, as one that comes for the first time.
      this.unread.delete(item.itemId);
      this.unread.set(item.itemId, item);
    }
    this.wake();
  }

  /** What is unread is still read before the error is told. */
  fail(error: unknown): void {
    this.end ??= { error };
    this.wake();
  }

  /** The reader has left: nothing is read any more. */
  close(): void {
    this.unread.clear();
    this.end = {};
    this.wake();
  }

  /** The state that has waited longest; undefined once the reader has left. @throws what it failed with */
  async take(): Promise<LiveItem | undefined> {
    for (;;) {
      const next = this.unread.entries().next();
      if (!next.done) {
        const [itemId, item] = next.value;
        this.unread.delete(itemId);
        return item;
      }
      if (this.end !== undefined) {
        if ("error" in this.end) throw this.end.error;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

/** Without when it was read, which says nothing of the item. */
function contentOf({ position: _position, asOf: _asOf, ...told }: LiveItem): string {
  return JSON.stringify(told);
}
