// What the client needs of where it runs, no more than browsers, Node and Workers have in common.

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** `fetch`, or what is called like it: a service binding's, say. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

export interface Host {
  readonly fetch: Fetch;
  /** In [0, 1). */
  readonly random: () => number;
  /** Rejects with the signal's reason when it is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function hostOf(given: Partial<Host>): Host {
  return {
    // Called as a method of anything else, a browser's own refuses.
    fetch: given.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    random: given.random ?? Math.random,
    sleep: given.sleep ?? sleep,
    now: given.now ?? Date.now,
  };
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted === true) return abort();
    signal?.addEventListener("abort", abort, { once: true });
  });
}
