/** When to try again after failures in a row; a success forgets them. */
export class Backoff {
  private failures = 0;
  private readonly firstMs: number;
  private readonly longestMs: number;

  constructor(firstMs: number, longestMs: number) {
    this.firstMs = firstMs;
    this.longestMs = longestMs;
  }

  /** Milliseconds to wait after one more failure. */
  fail(): number {
    const delay = Math.min(this.longestMs, this.firstMs * 2 ** Math.min(this.failures, 20));
    this.failures += 1;
    return delay;
  }

  succeed(): void {
    this.failures = 0;
  }
}
