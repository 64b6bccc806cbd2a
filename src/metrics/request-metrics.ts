/** Counts by name and label values, `|` between them: what crosses from an isolate to the object that adds them up. */
export type Counts = Readonly<Record<string, number>>;

/** Upper bounds of the produce latency's buckets, in seconds. The deadline of a produce is 1.5 s. */
export const produceBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5] as const;

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export interface CountedRequest {
  /** The route's pattern, or `none`. */
  readonly route: string;
  /** As the client sent it: what no route has counts as `other`. */
  readonly method: string;
  readonly status: number;
  /** The problem's, where one was answered. */
  readonly code?: string;
}

/**
 * What one isolate has counted and not handed over yet. Every label's values are a closed set of the
 * gateway's own (patterns of routes, codes, statuses), so that no client makes a series.
 */
export class RequestMetrics {
  private counts = new Map<string, number>();

  request({ route, method, status, code }: CountedRequest): void {
    this.add(`requests|${route}|${methods.has(method) ? method : "other"}|${status}`);
    if (code !== undefined) this.add(`refusals|${code}`);
  }

  /** @param rejected the code of each event that was not taken */
  events(accepted: number, rejected: readonly string[]): void {
    if (accepted > 0) this.add("events|accepted", accepted);
    if (rejected.length > 0) this.add("events|rejected", rejected.length);
    for (const code of rejected) this.add(`rejections|${code}`);
  }

  /** A produce with its retries, whatever came of it. */
  produced(seconds: number): void {
    const bound = produceBounds.find((each) => seconds <= each);
    this.add(`produce|${bound ?? "+Inf"}`);
    this.add("produce-seconds", seconds);
  }

  /** What was counted since the last time. */
  take(): Counts {
    const taken = Object.fromEntries(this.counts);
    this.counts = new Map();
    return taken;
  }

  private add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }
}
