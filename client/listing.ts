/** One page of a list. */
export interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** The cursor of the next page; absent at the end. A page may be short, or empty, and have one. */
  readonly next?: string;
}

/**
 * A list that comes in pages: `for await (const entry of list)` reads entry after entry, and asks for
 * a page when it gets there. It may be read more than once, each time from the beginning.
 */
export class Listing<Entry> implements AsyncIterable<Entry> {
  private readonly read: (cursor: string | undefined) => Promise<Page<Entry>>;
  private readonly from: string | undefined;

  constructor(from: string | undefined, read: (cursor: string | undefined) => Promise<Page<Entry>>) {
    this.from = from;
    this.read = read;
  }

  /** Page after page, each with the cursor of the one behind it. */
  async *pages(): AsyncGenerator<Page<Entry>, void, undefined> {
    let cursor = this.from;
    do {
      const page = await this.read(cursor);
      yield page;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Entry, void, undefined> {
    for await (const { entries } of this.pages()) yield* entries;
  }
}
