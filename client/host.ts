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
  /** Read as it comes, for what has no end. */
  readonly body?: ByteStream | null;
}

export interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** What is used of a `WebSocket`. */
export interface Socket {
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
  send(text: string): void;
  close(): void;
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
  /** Opens a WebSocket; absent where there are none. */
  readonly openSocket?: (url: string) => Socket;
}

export function hostOf(given: Partial<Host>): Host {
  // A `fetch` of the caller's leads elsewhere than a WebSocket of the platform's would.
  const hasSockets = given.fetch === undefined && typeof WebSocket === "function";
  const openSocket = given.openSocket ?? (hasSockets ? (url: string) => new WebSocket(url) : undefined);
  return {
    ...(openSocket === undefined ? {} : { openSocket }),
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
