import { answered, call, type Call } from "../edge/client.ts";

export const path = "/v1/replays";

export interface Part {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly position: number;
  readonly records: number;
  readonly bytes: number;
  readonly lostOffsets: number;
  readonly waiting?: { readonly reason: string; readonly failures: number; readonly retryAt: string };
}

export interface Body<Result = unknown> {
  readonly id: string;
  readonly status: "running" | "done" | "cancelled" | "failed";
  readonly progress: { readonly offsets: number; readonly read: number; readonly records: number };
  readonly partitions: readonly Part[];
  readonly conclusion: { readonly merged: number; readonly step: number; readonly steps: number };
  readonly failure?: { readonly code: string; readonly detail: string };
  readonly result?: Result;
  readonly [member: string]: unknown;
}

/** As an operator, unless another key is named. */
export function operate(to: string, options: Call = {}): Promise<Response> {
  return call(to, { key: "operator", ...options });
}

/** Starts a replay, which must be possible. */
export function startReplay(document: object): Promise<Body> {
  return answered<Body>(operate(path, { body: document }), 202);
}

export function readReplay<Result>(id: string): Promise<Body<Result>> {
  return answered<Body<Result>>(operate(`${path}/${id}`), 200);
}

/** Asks until a replay has ended; fails after forty seconds. */
export async function ended<Result = unknown>(id: string): Promise<Body<Result>> {
  const end = Date.now() + 40_000;
  for (;;) {
    const body = await readReplay<Result>(id);
    if (body.status !== "running") return body;
    if (Date.now() > end) throw new Error(`the replay has not ended: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function replayed<Result>(document: object): Promise<Result> {
  const { id } = await startReplay(document);
  const body = await ended<Result>(id);
  if (body.result === undefined) throw new Error(`the replay has no result: ${JSON.stringify(body)}`);
  return body.result;
}

/** Cancels what runs: the tests of a file share the object. */
export async function cancelAll(): Promise<void> {
  const { replays } = await answered<{ replays: Body[] }>(operate(`${path}?limit=100`), 200);
  for (const { id, status } of replays)
    if (status === "running") await answered(operate(`${path}/${id}`, { method: "DELETE" }), 200);
}
