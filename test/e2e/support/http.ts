/** What a request was answered: status, headers and body as parsed JSON. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Sends JSON with a key and reads JSON. @throws {TypeError} when nobody answers. */
export async function send<Body>(
  url: string,
  key: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<Body>> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as Body };
}

export interface ItemAnswer {
  readonly itemId: string;
  readonly status: string;
  readonly highest: { readonly amount: number; readonly bidderId: string; readonly bidId: string } | null;
  readonly bids: number;
  readonly rejected: number;
  readonly outcome?: { readonly outcome: string; readonly price?: number };
}

export interface Accepted {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: readonly (Accepted & {
    readonly index: number;
    readonly status: number;
    readonly code?: string;
  })[];
}

/** An item that is open for `openMs` from now. */
export function item(itemId: string, openMs: number): object {
  return {
    itemId,
    sellerId: "grace",
    title: `Lot ${itemId}`,
    category: "furniture",
    currency: "EUR",
    startingPrice: 100,
    endsAt: new Date(Date.now() + openMs).toISOString(),
  };
}
