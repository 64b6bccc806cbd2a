import { describe, expect, test } from "vitest";
import {
  type ErrorCode,
  Problem,
  problemFromIssues,
  problemKinds,
  problemResponse,
} from "../../../src/lib/problem.ts";

const codes = Object.keys(problemKinds) as ErrorCode[];

describe.each(codes)("the problem %s", (code) => {
  test("answers as RFC 9457 says, with the request's id and what its status asks for", async () => {
    const response = problemResponse(new Problem(code, "why"), "request-1");
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: `urn:gavel:problem:${code}`,
      title: problemKinds[code].title,
      status: response.status,
      code,
      detail: "why",
      requestId: "request-1",
      retryable: [408, 429, 503].includes(response.status),
      errors: [],
    });
    expect(response.headers.has("retry-after")).toBe([408, 429, 503].includes(response.status));
    expect(response.headers.has("www-authenticate")).toBe(response.status === 401);
  });
});

test("faults of one kind give the problem their code, faults of several kinds a common one", () => {
  const fault = (code: "required" | "too-long", pointer: string) => ({ pointer, code, message: "is wrong" });
  expect(problemFromIssues([fault("required", "/a"), fault("required", "/b")]).code).toBe("required");
  const mixed = problemFromIssues([fault("required", "/a"), fault("too-long", "/b")]);
  expect(mixed.code).toBe("invalid-event");
  expect(mixed.detail).toBe("/a: is wrong; /b: is wrong");
  const many = problemFromIssues(Array.from({ length: 12 }, (_, index) => fault("required", `/${index}`)));
  expect(many.errors).toHaveLength(12);
  expect(many.detail).toMatch(/^\/0: is wrong; .*\/9: is wrong; and 2 more$/);
});

test("a document that is all faults is told of the first hundred, and how many there are", () => {
  const faults = Array.from({ length: 75_000 }, (_, index) => ({
    pointer: `/k${index}`,
    code: "unknown-field" as const,
    message: "is not a known field",
  }));
  const problem = problemFromIssues([
    ...faults,
    { pointer: "/amount", code: "required", message: "is missing" },
  ]);
  expect(problem.errors).toEqual(faults.slice(0, 100));
  expect(problem).toMatchObject({ code: "invalid-event" });
  expect(problem.detail).toMatch(/and 74991 more$/);
});
