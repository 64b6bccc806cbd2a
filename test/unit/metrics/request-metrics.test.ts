import { describe, expect, it } from "vitest";
import { exposition } from "../../../src/metrics/exposition.ts";
import { requestFamilies } from "../../../src/metrics/request-families.ts";
import { produceBounds, RequestMetrics } from "../../../src/metrics/request-metrics.ts";

const linesOf = (metrics: RequestMetrics): string[] =>
  exposition(requestFamilies(metrics.take()))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

describe("what an isolate counts", () => {
  it("is told by route, method and status, and refusals by their code", () => {
    const metrics = new RequestMetrics();
    const bid = { route: "/v1/bids", method: "POST" };
    metrics.request({ ...bid, status: 202 });
    metrics.request({ ...bid, status: 202 });
    metrics.request({ ...bid, status: 401, code: "unauthenticated" });
    metrics.request({ route: "none", method: "GET", status: 404, code: "not-found" });
    expect(linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'gavel_requests_total{route="/v1/bids",method="POST",status="202"} 2',
        'gavel_requests_total{route="/v1/bids",method="POST",status="401"} 1',
        'gavel_requests_total{route="none",method="GET",status="404"} 1',
        'gavel_refusals_total{code="not-found"} 1',
        'gavel_refusals_total{code="unauthenticated"} 1',
      ]),
    );
  });

  it("has no series that a client makes: what is no method of a route counts as other", () => {
    const metrics = new RequestMetrics();
    for (const method of ["BREW", 'x"|y\n', "get"]) metrics.request({ route: "none", method, status: 405 });
    expect(linesOf(metrics)[0]).toBe('gavel_requests_total{route="none",method="other",status="405"} 3');
  });

  it("tells events by what became of them, and each that was not taken by its code", () => {
    const metrics = new RequestMetrics();
    metrics.events(3, ["too-small", "too-small", "unknown-field"]);
    metrics.events(0, []);
    expect(linesOf(metrics).slice(0, 4)).toEqual([
      'gavel_events_total{outcome="accepted"} 3',
      'gavel_events_total{outcome="rejected"} 3',
      'gavel_rejected_events_total{code="too-small"} 2',
      'gavel_rejected_events_total{code="unknown-field"} 1',
    ]);
  });

  it("has the latency of a produce in buckets that include the ones below", () => {
    const metrics = new RequestMetrics();
    for (const seconds of [0.001, 0.005, 0.2, 9]) metrics.produced(seconds);
    const lines = linesOf(metrics);
    const bucket = (le: string): string | undefined => lines.find((line) => line.includes(`le="${le}"`));
    const name = "gavel_produce_duration_seconds";
    expect(bucket("0.005")).toBe(`${name}_bucket{le="0.005"} 2`);
    expect(bucket("0.1")).toBe(`${name}_bucket{le="0.1"} 2`);
    expect(bucket("0.25")).toBe(`${name}_bucket{le="0.25"} 3`);
    expect(bucket("2.5")).toBe(`${name}_bucket{le="2.5"} 3`);
    expect(lines.slice(-3)).toEqual([`${name}_bucket{le="+Inf"} 4`, `${name}_sum 9.206`, `${name}_count 4`]);
    expect(lines).toHaveLength(produceBounds.length + 3);
  });

  it("is taken once", () => {
    const metrics = new RequestMetrics();
    metrics.produced(1);
    expect(Object.keys(metrics.take())).toHaveLength(2);
    expect(metrics.take()).toEqual({});
  });

  it("leaves out what another version counted", () => {
    expect(
      requestFamilies({ "requests|/v1/bids": 3, "teapots|1": 2 }).flatMap(({ samples }) => samples),
    ).toEqual(requestFamilies({}).flatMap(({ samples }) => samples));
  });
});
