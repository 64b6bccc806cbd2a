/**
 * A bounded cache of two generations: what is used moves to the young one, and when that is full
 * the old one goes. Close to least-recently-used at the cost of two maps.
 */
export class GenerationalCache<Key, Value> {
  private readonly capacity: number;
  private young = new Map<Key, Value>();
  private old = new Map<Key, Value>();

  /** @param capacity entries of one generation; at most twice as many are held */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get(key: Key): Value | undefined {
    const young = this.young.get(key);
    if (young !== undefined) return young;
    const old = this.old.get(key);
    if (old !== undefined) this.young.set(key, old);
    return old;
  }

  /** Adds without making room; `trim` does that, when nothing depends on what may go. */
  set(key: Key, value: Value): void {
    this.young.set(key, value);
  }

  delete(key: Key): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  trim(): void {
    if (this.young.size < this.capacity) return;
    this.old = this.young;
    this.young = new Map();
  }
}
