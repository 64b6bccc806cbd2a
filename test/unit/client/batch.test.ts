import fc from "fast-check";
import { expect, test } from "vitest";
import type { CloudEvent } from "../../../client/batch.ts";
import { createClient } from "../../../client/client.ts";
import { GavelProblem } from "../../../client/problem.ts";
import { problem, type Request, ScriptedHost, type Step } from "./scripted.ts";

const bids = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    itemId: `lamp-${index % 7}`,
    bidderId: "lin",
    amount: index + 1,
    currency: "EUR",
  }));

function eventsOf({ body = "[]" }: Request): (CloudEvent & { data: { amount: number } })[] {
  return JSON.parse(body) as (CloudEvent & { data: { amount: number } })[];
}

type Fate = "taken" | "refused" | "failing";

/** What the gateway answers where each event meets its fate. */
function answer(request: Request, fateOf: (event: ReturnType<typeof eventsOf>[number]) => Fate): Step {
  const events = eventsOf(request);
  const fates = events.map(fateOf);
  const results = events.map(({ id }, index) => {
    const fate = fates[index];
    if (fate === "taken")
      return { index, status: 202, id, topic: "auction.bids", partition: 0, offset: index };
    const [status, code] = fate === "refused" ? [422, "too-small"] : [503, "log-unavailable"];
    return { index, status, code, detail: `it is ${code}`, errors: [] };
  });
  const accepted = fates.filter((fate) => fate === "taken").length;
  const none = fates.includes("failing") ? 503 : 422;
  const status = accepted === fates.length ? 202 : accepted > 0 ? 207 : none;
  return { status, body: { accepted, rejected: fates.length - accepted, results } };
}

function clientOf(script: readonly Step[] | ((request: Request, index: number) => Step)) {
  const scripted = new ScriptedHost(script);
  return {
    scripted,
    client: createClient({ url: "https://gavel.test", credential: "key", ...scripted.host() }),
  };
}

test("a batch is one request of CloudEvents with ids of the client's own", async () => {
  const { client, scripted } = clientOf((request) => answer(request, () => "taken"));
  const told = await client.placeBids(bids(3), { idempotencyKey: "mine" });
  expect(told).toMatchObject({ accepted: 3, rejected: 0 });
  expect(scripted.requests).toHaveLength(1);
  expect(scripted.requests[0]?.headers["content-type"]).toBe("application/cloudevents-batch+json");
  expect(eventsOf(scripted.requests[0] as Request)).toEqual(
    bids(3).map((data, index) => {
      return {
        specversion: "1.0",
        id: `mine:${index}`,
        source: "/clients/gavel",
        type: "gavel.bid.placed.v1",
        data,
      };
    }),
  );
});

test("only what the log did not take is sent again, with the same ids, and every event has its own result", async () => {
  const fates = fc.array(fc.constantFrom<Fate>("taken", "refused", "failing"), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(fates, async (first) => {
      const { client, scripted } = clientOf((request, index) =>
        answer(request, ({ data }) => {
          const fate = first[data.amount - 1] ?? "refused";
          return index === 0 || fate !== "failing" ? fate : "taken";
        }),
      );
      const told = await client.placeBids(bids(first.length));
      const failing = first.flatMap((fate, index) => (fate === "failing" ? [index] : []));
      expect(scripted.requests).toHaveLength(failing.length > 0 ? 2 : 1);
      const [once, again] = scripted.requests.map((request) => eventsOf(request).map(({ id }) => id));
      if (failing.length > 0) expect(again).toEqual(failing.map((index) => once?.[index]));
      expect(told.results.map(({ index }) => index)).toEqual([...first.keys()]);
      expect(told.results.map(({ status }) => status)).toEqual(
        first.map((fate) => (fate === "refused" ? 422 : 202)),
      );
      for (const result of told.results)
        if (!("code" in result)) expect(result.id).toBe(once?.[result.index]);
    }),
  );
});

test("more than the gateway takes at once goes in several requests, in order", async () => {
  const { client, scripted } = clientOf((request) => answer(request, () => "taken"));
  const told = await client.placeBids(bids(2_500));
  expect(scripted.requests.map((request) => eventsOf(request).length)).toEqual([1_000, 1_000, 500]);
  expect(scripted.requests.flatMap((request) => eventsOf(request).map(({ data }) => data.amount))).toEqual(
    bids(2_500).map(({ amount }) => amount),
  );
  expect(told.results.map(({ index }) => index)).toEqual([...bids(2_500).keys()]);
  const items = Array.from({ length: 400 }, (_, index) => {
    const common = { sellerId: "s", title: "t", category: "c", currency: "EUR", startingPrice: 1 };
    return {
      ...common,
      itemId: `i-${index}`,
      endsAt: "2027-01-01T00:00:00.000Z",
      description: "ß".repeat(4_000),
    };
  });
  scripted.requests.length = 0;
  await client.listItems(items);
  const sizes = scripted.requests.map(({ body = "" }) => new TextEncoder().encode(body).length);
  expect(sizes.length).toBeGreaterThan(3);
  expect(Math.max(...sizes)).toBeLessThan(1_048_576);
});

test("where a part fails for good, what came before it is told and what comes behind it is not sent", async () => {
  const { client, scripted } = clientOf((request, index) =>
    index === 0 ? answer(request, () => "taken") : problem(503, "log-unavailable", true),
  );
  const { results } = await client.placeBids(bids(2_500));
  const codes = results.map((result) => ("code" in result ? result.code : "taken"));
  expect(codes.slice(0, 1_000)).toEqual(Array(1_000).fill("taken"));
  expect(codes.slice(1_000, 2_000)).toEqual(Array(1_000).fill("log-unavailable"));
  expect(codes.slice(2_000)).toEqual(Array(500).fill("not-sent"));
  expect(scripted.requests).toHaveLength(6);
});

test("what still fails at the end has the log's own result, and nothing known of any is a problem", async () => {
  const partly = clientOf((request) =>
    answer(request, ({ data }) => (data.amount === 2 ? "failing" : "taken")),
  );
  const { accepted, results } = await partly.client.placeBids(bids(3));
  expect(accepted).toBe(2);
  expect(results[1]).toMatchObject({ index: 1, status: 503, code: "log-unavailable" });
  const wholly = clientOf(["broken"]);
  const error = await wholly.client
    .placeBids(bids(3), { idempotencyKey: "mine" })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(GavelProblem);
  expect(error).toMatchObject({
    code: "network-failure",
    isOutcomeUnknown: true,
    idempotencyKey: "mine",
    attempts: 5,
  });
});

test("an empty batch asks nothing", async () => {
  const { client, scripted } = clientOf(["broken"]);
  expect(await client.placeBids([])).toEqual({ accepted: 0, rejected: 0, results: [] });
  expect(scripted.requests).toEqual([]);
});
