import type { Clock } from "../../lib/clock.ts";
import type { FunctionRecord, Invocation, InvocationResult, Invoke } from "../function.ts";
import { failed, resultOf, type Answer } from "./answer.ts";
import { dropAnswerBody, readAnswerBody } from "./answer-body.ts";
import { type AddressRules, endpointAddress } from "./endpoint-address.ts";
import { type ContentMode, type Message, messageOf } from "./message.ts";
import { createSigner, type Sign } from "./signature.ts";

/** Whom a function calls. */
export interface HttpEndpoint extends AddressRules {
  readonly url: string;
  /** `whsec_…`, newest first: one, or two while they change. */
  readonly secrets: readonly string[];
  /** Of a call with one record; several are a batch. */
  readonly mode: ContentMode;
}

export interface HttpFunctionDependencies {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Pick<Clock, "now">;
}

/** Of an answer's body, in bytes: room for a reason of every record, and for a page of anything else. */
const bodyBytes = 65_536;
const bodyBytesPerRecord = 1_024;

/**
 * A function behind an HTTPS endpoint, which gets signed CloudEvents. It never rejects: whatever
 * keeps a call from being made or answered is the call's failure.
 */
export function createHttpFunction(endpoint: HttpEndpoint, dependencies: HttpFunctionDependencies): Invoke {
  let sign: Sign | undefined;
  return async (invocation) => {
    const [first, ...others] = invocation.records;
    if (first === undefined) return { outcomes: [] };
    // Once more before each call: the rules may have become stricter since somebody subscribed.
    const address = endpointAddress(endpoint.url, endpoint);
    if (!address.ok) return failed(`The endpoint's address ${address.error.message}`);
    try {
      sign ??= createSigner(endpoint.secrets);
    } catch {
      return failed("The endpoint's secrets cannot be used");
    }
    const message = messageOf([first, ...others], endpoint.mode);
    const headers = signedHeaders(message, sign, dependencies.clock.now());
    return call(address.value, { ...message, headers }, invocation, dependencies);
  };
}

/** The headers of Standard Webhooks beside the message's own. */
function signedHeaders({ id, headers, body }: Message, sign: Sign, at: number): Record<string, string> {
  return {
    ...headers,
    "user-agent": "gavel",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": sign({ id, at, body }),
  };
}

async function call(
  url: URL,
  message: Message,
  { records, signal }: Invocation,
  dependencies: HttpFunctionDependencies,
): Promise<InvocationResult> {
  let answer: Answer;
  try {
    answer = await exchange(url, message, records, signal, dependencies.fetch);
  } catch {
    // What the runtime says of it may quote addresses.
    return signal.aborted ? tooLate() : failed("The endpoint cannot be reached");
  }
  if (signal.aborted && answer.body?.kind === "cut") return tooLate();
  return resultOf(answer, records, dependencies.clock.now());
}

function tooLate(): InvocationResult {
  return failed("The endpoint did not answer before the deadline");
}

/**
 * One request, one answer.
 * @param fetch called as a plain function: the runtime's own refuses another `this`
 */
async function exchange(
  url: URL,
  { headers, body }: Message,
  records: readonly FunctionRecord[],
  signal: AbortSignal,
  fetch: HttpFunctionDependencies["fetch"],
): Promise<Answer> {
  signal.throwIfAborted();
  const response = await fetch(url.href, {
    method: "POST",
    headers,
    // An empty text would be given a content type, and no data has none.
    body: body === "" ? null : body,
    // Whoever answers could send the call on to an address that was never judged.
    redirect: "manual",
    signal,
  });
  const { status } = response;
  const retryAfter = response.headers.get("retry-after");
  if (!response.ok) {
    dropAnswerBody(response);
    return { status, retryAfter };
  }
  const limit = bodyBytes + records.length * bodyBytesPerRecord;
  const contentType = response.headers.get("content-type");
  return { status, retryAfter, contentType, body: await readAnswerBody(response, limit) };
}
