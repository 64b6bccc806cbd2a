import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultOf } from "../../../../src/functions/http/answer.ts";
import { functionRecord } from "./records.ts";

const now = Date.parse("2026-11-24T00:00:00Z");
const records = [
  functionRecord({ offset: 41 }),
  functionRecord({ offset: 42 }),
  functionRecord({ offset: 43 }),
];
const [first, second, third] = records.map(({ id }) => id);

const answered = (status: number, retryAfter: string | null = null) =>
  resultOf({ status, retryAfter }, records, now);
const accepted = (text: string) =>
  resultOf({ status: 200, retryAfter: null, body: { kind: "whole", text } }, records, now).outcomes;

const done = { status: "done" };
const retry = (reason: string, delay: object = {}) => ({ status: "retry", reason, ...delay });

describe("a status means", () => {
  test.each([200, 201, 202, 204, 299])("%i: all is done", (status) => {
    expect(answered(status)).toEqual({ outcomes: [done, done, done] });
  });

  test("410: the endpoint is gone, and the records are left", () => {
    expect(answered(410)).toEqual({ outcomes: [], isGone: true });
  });

  test.each([404, 409])("%i: the records are tried again", (status) => {
    const outcome = retry(`The endpoint answered ${status}`);
    expect(answered(status)).toEqual({ outcomes: [outcome, outcome, outcome] });
  });

  test.each([429, 503])("%i: the call failed, as any other would have", (status) => {
    expect(answered(status)).toEqual({
      outcomes: [],
      failure: { reason: `The endpoint answered ${status}`, isGeneral: true },
    });
  });

  test.each([408, 500, 502, 504, 507, 599])("%i: the call failed as a whole", (status) => {
    expect(answered(status)).toEqual({
      outcomes: [],
      failure: { reason: `The endpoint answered ${status}` },
    });
  });

  test.each([300, 301, 302, 303, 304, 307, 308])("%i: the call failed, and is not sent on", (status) => {
    expect(answered(status)).toEqual({
      outcomes: [],
      failure: { reason: `The endpoint answered ${status}, and redirects are not followed`, isGeneral: true },
    });
  });

  test.each([400, 401, 402, 403, 405, 411, 413, 415, 422, 431, 451])("%i: it is final", (status) => {
    const outcome = { status: "reject", reason: `The endpoint answered ${status}` };
    expect(answered(status)).toEqual({ outcomes: [outcome, outcome, outcome] });
  });
});

describe("Retry-After", () => {
  test.each([408, 429, 500, 503, 302])("puts a call off that failed with %i", (status) => {
    expect(answered(status, "120").failure?.delayMs).toBe(120_000);
    expect(answered(status, "Tue, 24 Nov 2026 00:01:00 GMT").failure?.delayMs).toBe(60_000);
  });

  test.each([404, 409])("puts records off that failed with %i", (status) => {
    expect(answered(status, "9").outcomes[0]).toMatchObject({ status: "retry", delayMs: 9_000 });
  });

  test("counts for nothing where the answer is final", () => {
    expect(answered(400, "9").outcomes[0]).toEqual({ status: "reject", reason: "The endpoint answered 400" });
  });
});

describe("a 2xx lists what failed", () => {
  test("by id", () => {
    const results = [
      { id: first, status: "reject", reason: "no such bidder" },
      { id: third, status: "retry", delayMs: 5_000 },
    ];
    expect(accepted(JSON.stringify({ results }))).toEqual([
      { status: "reject", reason: "The endpoint says: no such bidder" },
      done,
      retry("The endpoint asks for another attempt", { delayMs: 5_000 }),
    ]);
  });

  test("by offset, as a number or a text", () => {
    const results = [
      { offset: 41, status: "retry" },
      { offset: "42", status: "reject" },
    ];
    expect(accepted(JSON.stringify({ results }))).toEqual([
      retry("The endpoint asks for another attempt"),
      { status: "reject", reason: "The endpoint refuses the record" },
      done,
    ]);
  });

  test("as AWS Lambda does", () => {
    const batchItemFailures = [{ itemIdentifier: second }];
    expect(accepted(JSON.stringify({ batchItemFailures }))).toEqual([
      done,
      retry("The endpoint asks for another attempt"),
      done,
    ]);
  });

  test.each([
    [
      "an unknown id",
      {
        results: [
          { id: "other", status: "reject" },
          { id: first, status: "done" },
        ],
      },
    ],
    [
      "an offset that was not in the call",
      {
        results: [
          { offset: 7, status: "retry" },
          { id: first, status: "done" },
        ],
      },
    ],
    ["no record at all", { results: [{ status: "retry" }, { offset: 41, status: "done" }] }],
    [
      "an unknown item",
      { batchItemFailures: [{ itemIdentifier: "" }], results: [{ id: first, status: "done" }] },
    ],
  ])("and where it names %s, whatever it does not list is tried again", (_, body) => {
    const outcome = retry("The endpoint lists a record that was not in the call");
    expect(accepted(JSON.stringify(body))).toEqual([done, outcome, outcome]);
  });

  test("and of two entries for a record a failure counts before a success, else the first", () => {
    const results = [
      { id: first, status: "done" },
      { id: first, status: "retry" },
      { id: second, status: "reject" },
      { id: second, status: "retry" },
      { id: third, status: "retry" },
      { id: third, status: "done" },
    ];
    expect(accepted(JSON.stringify({ results })).map((outcome) => outcome?.status)).toEqual([
      "retry",
      "reject",
      "retry",
    ]);
  });

  test("and an offset of two topics names neither", () => {
    const twins = [
      functionRecord({ offset: 41 }),
      functionRecord({ offset: 41, topic: "auction.completed" }),
    ];
    const body = { kind: "whole", text: '{"results":[{"offset":41,"status":"reject"}]}' } as const;
    const { outcomes } = resultOf({ status: 200, retryAfter: null, body }, twins, now);
    expect(outcomes.map((outcome) => outcome?.status)).toEqual(["retry", "retry"]);
  });

  test.each([
    ["longer than a day", 1e300, 86_400_000],
    ["no number", "5", undefined],
    ["below zero", -1, undefined],
  ])("with a delay that is %s", (_, delayMs, expected) => {
    const [outcome] = accepted(JSON.stringify({ results: [{ id: first, status: "retry", delayMs }] }));
    expect(outcome).toMatchObject({ status: "retry" });
    expect((outcome as { readonly delayMs?: number }).delayMs).toBe(expected);
  });

  test("with a reason that is cut, without controls and addresses", () => {
    const reason = `no\r\nroute from 192.0.2.7\u0000 or 2001:db8::7 ${"x".repeat(500)}`;
    const [outcome] = accepted(JSON.stringify({ results: [{ id: first, status: "reject", reason }] }));
    const told = (outcome as { readonly reason: string }).reason;
    expect(told).toMatch(/^The endpoint says: no route from <address> or <address> x+$/);
    expect(told.length).toBeLessThanOrEqual(220);
  });
});

test.each([
  ["no login at ada:s3cret@db.example.com:5432", "no login at <credentials>@db.example.com:5432"],
  ["redis://:s3cret@cache, or (ada:s3cret@db)", "<credentials>@cache, or <credentials>@db)"],
  ["tell ops@example.com,ada:s3c@ret@db", "tell <credentials>@db"],
  ["dsn=ada:s3/cret@[2001:db8::7]/x", "<credentials>@[<address>]/x"],
  ["ask ops@example.com: closed at 12:30", "ask ops@example.com: closed at 12:30"],
])("a reason is kept without credentials, also where no scheme is before them: %j", (reason, kept) => {
  const [outcome] = accepted(JSON.stringify({ results: [{ id: first, status: "reject", reason }] }));
  expect(outcome).toEqual({ status: "reject", reason: `The endpoint says: ${kept}` });
});

test("a reason's credentials are taken out before it is cut", () => {
  const reason = `${"x".repeat(190)} ada:s3cret@${"y".repeat(100)}`;
  const [outcome] = accepted(JSON.stringify({ results: [{ id: first, status: "reject", reason }] }));
  expect(outcome).toMatchObject({ reason: expect.not.stringContaining("ada:") as unknown });
});

test("a reason that is made to take long is read at once", () => {
  const start = performance.now();
  for (const reason of ["a:".repeat(32_000), ":".repeat(64_000), "@:".repeat(32_000), "a:@".repeat(20_000)])
    accepted(JSON.stringify({ results: [{ id: first, status: "reject", reason }] }));
  expect(performance.now() - start).toBeLessThan(1_000);
});

describe("a 2xx whose body is not meant for us is all done", () => {
  test.each([
    "",
    "ok",
    "{",
    "null",
    "[]",
    "5",
    "{}",
    '{"results":5}',
    '{"results":[null,5,"x",{}]}',
    '{"results":[{"id":1,"title":"a list of something else"}]}',
    '{"results":[{"status":"ok"}],"batchItemFailures":{}}',
    '{"batchItemFailures":[]}',
    '{"__proto__":{"results":[{"status":"retry"}]}}',
  ])("%j", (text) => {
    expect(accepted(text)).toEqual([done, done, done]);
  });

  test.each([null, "", "text/html; charset=utf-8", "application/octet-stream", "text/plain; note=a/json"])(
    "or is longer than is read, and of the type %j",
    (contentType) => {
      const answer = { status: 200, retryAfter: null, contentType, body: { kind: "too-long" } } as const;
      expect(resultOf(answer, records, now)).toEqual({ outcomes: [done, done, done] });
    },
  );
});

test("a 2xx whose body broke off is a failure: it may have listed what failed", () => {
  const answer = { status: 200, retryAfter: null, body: { kind: "cut" } } as const;
  expect(resultOf(answer, records, now)).toEqual({
    outcomes: [],
    failure: { reason: "The endpoint's answer ended early" },
  });
});

test.each(["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "text/json"])(
  "a 2xx whose body of the type %s is longer than is read is a failure: it may list what failed",
  (contentType) => {
    const answer = { status: 200, retryAfter: null, contentType, body: { kind: "too-long" } } as const;
    expect(resultOf(answer, records, now)).toEqual({
      outcomes: [],
      failure: { reason: "The endpoint's answer is longer than is read" },
    });
  },
);

test("whatever is answered, there is an outcome a record, or none, and a short reason", () => {
  const anything = fc.oneof(
    fc.json(),
    fc.string(),
    fc.json().map((json) => `{"results":[${json}]}`),
  );
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), anything, fc.string(), (status, text, retryAfter) => {
      const body = { kind: "whole", text } as const;
      const { outcomes, failure, isGone } = resultOf({ status, retryAfter, body }, records, now);
      expect([0, 3]).toContain(outcomes.length);
      if (outcomes.length === 0) expect(failure !== undefined || isGone === true).toBe(true);
      for (const outcome of outcomes) {
        if (outcome !== undefined && "reason" in outcome) expect(outcome.reason.length).toBeLessThan(230);
      }
    }),
  );
});
