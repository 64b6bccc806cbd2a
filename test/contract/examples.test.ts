import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApiDocument } from "../../contract/openapi.ts";
import { ContractChecker } from "../support/contract/checker.ts";
import { operationsOf, type PlacedOperation } from "../support/contract/reading.ts";
import { type PreparedGavel, startPrepared } from "./support/prepared.ts";
import { type ExampleRequest, examplesOf, linksOf, requestOf } from "./support/requests.ts";

/** What an example is about may take a moment to be there. */
const longestMs = 30_000;
/** Answers that may be others a moment later. */
const passing = new Set([404, 409, 503]);

const document = openApiDocument("0.0.0");
const checker = new ContractChecker(document);
const told = new Map<string, Record<string, string>>();
let gavel: PreparedGavel;

beforeAll(async () => {
  gavel = await startPrepared();
}, 60_000);
afterAll(() => gavel.stop());

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

async function send({ local }: PreparedGavel, request: ExampleRequest): Promise<Answer> {
  const { method, path, key, headers, body } = request;
  const response = await fetch(local.url + path, {
    method,
    headers: { ...headers, authorization: `Bearer ${local.keys[key]}` },
    ...(body === undefined ? {} : { body }),
  });
  const { status } = response;
  const answer = { status, headers: Object.fromEntries(response.headers) };
  if (!isEndless(answer)) return { ...answer, body: await response.text() };
  await response.body?.cancel();
  return { ...answer, body: "" };
}

/** A stream that does not end by itself: nothing is read of it. */
function isEndless({ headers }: { readonly headers: Readonly<Record<string, string>> }): boolean {
  return headers["content-type"]?.startsWith("text/event-stream") === true;
}

/** What removes something comes behind everything that is about it. */
const removesLast = (one: PlacedOperation) => (one.method === "delete" ? 1 : 0);
const ordered = operationsOf(document).toSorted((left, right) => removesLast(left) - removesLast(right));

/** In the document's order: an example is about what those before it made. */
describe("every example of the document is answered 2xx, as the document says", () => {
  for (const placed of ordered) {
    for (const example of examplesOf(placed)) {
      test(`${placed.operation.operationId}, ${example.type ?? ""} ${example.name}`, async () => {
        const deadline = Date.now() + longestMs;
        for (;;) {
          const request = requestOf(placed, example, told, Date.now());
          const answer = await send(gavel, request);
          const { method, path } = request;
          expect(checker.faultsOf({ method, path, ...answer })).toEqual([]);
          const links = linksOf(placed, request, answer);
          const isDone = !passing.has(answer.status) && links.isWhole;
          if (isDone || Date.now() > deadline) {
            expect(answer.status, answer.body).toBeGreaterThanOrEqual(200);
            expect(answer.status, answer.body).toBeLessThan(300);
            expect(links.isWhole, answer.body).toBe(true);
            for (const [operationId, values] of links.told) told.set(operationId, values);
            return;
          }
          await sleep(300);
        }
      });
    }
  }
});
