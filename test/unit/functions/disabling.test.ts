import { describe, expect, test } from "vitest";
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import { Delivery } from "../../../durable-objects/functions/delivery.ts";
import { Disabling } from "../../../durable-objects/functions/disabling.ts";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import type { GroupState } from "../../../durable-objects/functions/group-state.ts";
import { type Failing, failingAfter } from "../../../durable-objects/functions/ledger.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";

const minute = 60_000;
const day = 86_400_000;
/** One function that has failed as it is given, looked at once at a time. */
function disabledAt(now: number, failing: Failing | undefined, more: Partial<DrivenFunction> = {}) {
  const ledger = { position: 0, sequence: 0, finished: [], calls: [], attempted: [] };
  const stored = { ledger: failing === undefined ? ledger : { ...ledger, failing }, trail: "", parked: [] };
  const delivery = new Delivery("f", defaultSettings, stored, { position: 0, sequence: 0 }, () => 0);
  const asked: (readonly [string, number])[] = [];
  const driven: DrivenFunction = {
    name: "f",
    settings: defaultSettings,
    invoke: () => Promise.resolve({ outcomes: [] }),
    from: "latest",
    selects: () => true,
    disableAfterMs: 3 * day,
    disable: (reason, at) => {
      asked.push([reason, at]);
      return Promise.resolve("unchanged");
    },
    ...more,
  };
  const dependencies = { clock: { now: () => now } } as PartitionDependencies;
  const state = { commit: () => undefined } as unknown as GroupState;
  const host = { state, onFailure: () => undefined, onSuccess: () => undefined };
  new Disabling(dependencies, host).look([[driven, delivery]]);
  return asked;
}

const failed = { outcomes: [], failure: { reason: "500" } };
const missing = { outcomes: [{ status: "retry" as const, reason: "404" }] };
const done = { outcomes: [{ status: "reject" as const, reason: "no" }, { status: "done" as const }] };

/** Called every so often from a time to another, with the same result. */
function failingFrom(
  from: number,
  to: number,
  result: Parameters<typeof failingAfter>[1] = failed,
  every = minute,
) {
  let found: Failing | undefined;
  for (let now = from; now <= to; now += every) found = failingAfter(found, result, now);
  return found;
}

describe("a function is disabled", () => {
  test("when of all its calls nothing was done for as long as it may", () => {
    expect(disabledAt(3 * day - 1, failingFrom(0, 3 * day - 1))).toEqual([]);
    expect(disabledAt(3 * day, failingFrom(0, 3 * day))).toEqual([
      ["nothing was done for 3 days: 500", 3 * day],
    ]);
    expect(disabledAt(3 * day, undefined)).toEqual([]);
  });

  test("also where each call is answered, and never well", () => {
    expect(disabledAt(3 * day, failingFrom(0, 3 * day, missing))).toEqual([
      ["nothing was done for 3 days: 404", 3 * day],
    ]);
  });

  test("not where something was done in between", () => {
    const before = failingFrom(0, 2 * day);
    expect(failingAfter(before, done, 2 * day + 1)).toBeUndefined();
  });

  test("not where it fails less often than once a day: it was not called in between", () => {
    expect(disabledAt(9 * day, failingFrom(0, 9 * day, failed, 1.5 * day))).toEqual([]);
  });

  test("after it was enabled, only when it has failed for so long since: the partition may have missed both", () => {
    const enabledAt = 10 * day;
    const first = enabledAt + minute;
    expect(disabledAt(first, failingFrom(0, first), { enabledAt })).toEqual([]);
    const last = enabledAt + 3 * day;
    expect(disabledAt(last, failingFrom(0, last), { enabledAt })).toHaveLength(1);
  });

  test("never for what failed days ago, with nothing left to call it with since", () => {
    const stale = failingFrom(0, 3 * day - minute);
    for (const now of [3 * day + minute, 4 * day, 100 * day]) expect(disabledAt(now, stale)).toEqual([]);
  });
});
