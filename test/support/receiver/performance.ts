import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Verdict } from "./call.ts";
import type { BegunCall } from "./history.ts";
import type { Arrived } from "./request.ts";
import type { Answer, Listed } from "./script.ts";

const filler = Buffer.alloc(65_536, "x");

/**
 * Answers a call as its script says, and notes what the caller can have heard. A call ends right
 * before its answer leaves: from then on the caller may send the next one.
 */
export async function perform(
  answer: Answer,
  response: ServerResponse,
  { call, end }: BegunCall,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    gone.abort();
    end(() => "unanswered");
  });
  const afterMs = "afterMs" in answer ? (answer.afterMs ?? 0) : 0;
  if (afterMs > 0) await sleep(afterMs, undefined, { signal: gone.signal }).catch(() => undefined);
  // It may have gone before anybody listened.
  if (response.destroyed) return end(() => "unanswered");
  switch (answer.kind) {
    case "status":
      end((record) => verdictOf(answer, record));
      response.writeHead(answer.status, answer.headers).end(bodyOf(answer, call.deliveries));
      return;
    case "hang":
      return;
    case "cut":
      if (answer.when === "during") await begin(response, { "content-length": "1000" });
      end(() => "unanswered");
      response.socket?.resetAndDestroy();
      return;
    case "hanging-body":
      await begin(response, {});
      return;
    case "huge-body":
      end(() => "done");
      response.writeHead(200);
      // It fails when the caller has had enough.
      await pipeline(filling(answer.bytes), response).catch(() => undefined);
  }
}

/** The head, and a body that could become a list of failures. */
async function begin(response: ServerResponse, headers: Readonly<Record<string, string>>): Promise<void> {
  response.writeHead(200, { "content-type": "application/json", ...headers });
  await new Promise<void>((resolve) => response.write('{"results":[', () => resolve()));
}

/** In pieces, as fast as they are taken. */
function* filling(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= filler.length) {
    yield filler.subarray(0, Math.min(left, filler.length));
  }
}

type StatusAnswer = Extract<Answer, { readonly kind: "status" }>;

/** What the documented table makes of a status; the sender has its own. */
function verdictOf({ status, listed = {} }: StatusAnswer, { offset }: Arrived): Verdict {
  if (status >= 200 && status < 300) return listedFor(listed, offset) ?? "done";
  const isFinal = status >= 400 && status < 500 && ![404, 408, 409, 410, 429].includes(status);
  return isFinal ? "reject" : "retry";
}

function bodyOf({ listed, body }: StatusAnswer, records: readonly Arrived[]): string | undefined {
  if (listed === undefined) return body;
  const results = records
    .map(({ offset }) => ({ offset, status: listedFor(listed, offset), reason: "as the script says" }))
    .filter(({ status }) => status !== undefined);
  return JSON.stringify({ results });
}

function listedFor(listed: NonNullable<StatusAnswer["listed"]>, offset: number): Listed | undefined {
  return typeof listed === "string" ? listed : listed[offset];
}
