import { describe, expect, test } from "vitest";
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import { Circuit, type OpenCircuit } from "../../../durable-objects/functions/circuit.ts";
import { Delivery } from "../../../durable-objects/functions/delivery.ts";
import { Disabling } from "../../../durable-objects/functions/disabling.ts";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import type { GroupState } from "../../../durable-objects/functions/group-state.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";

const minute = 60_000;
const day = 86_400_000;
const settings = {
  ...defaultSettings,
  circuit: { failures: 5, firstProbeMs: 1_000, longestProbeMs: 5 * minute },
};

/** One function whose circuit is as it is given, looked at once at a time. */
function disabledAt(now: number, circuit: OpenCircuit | undefined, more: Partial<DrivenFunction> = {}) {
  const ledger = { position: 0, sequence: 0, finished: [], calls: [], attempted: [] };
  const stored = { ledger: circuit === undefined ? ledger : { ...ledger, circuit }, parked: [] };
  const delivery = new Delivery("f", settings, stored, { position: 0, sequence: 0 }, () => 0);
  const asked: (readonly [string, number])[] = [];
  const driven: DrivenFunction = {
    name: "f",
    settings,
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

/** Opened at 0, and probed in vain as often as the clock allows until then. */
function failingUntil(now: number): OpenCircuit {
  const circuit = new Circuit(settings.circuit, undefined);
  for (let failures = 0; failures < settings.circuit.failures; failures += 1) circuit.fail("500", 0);
  for (let due = circuit.open?.probeAt ?? now; due <= now; due = circuit.open?.probeAt ?? now) {
    circuit.starts();
    circuit.fail("500", due);
  }
  if (circuit.open === undefined) throw new Error("a circuit that only fails is open");
  return circuit.open;
}

describe("a function is disabled", () => {
  test("when its calls have failed for as long as it may", () => {
    const now = 3 * day;
    expect(disabledAt(now - 1, failingUntil(now - 1))).toEqual([]);
    expect(disabledAt(now, failingUntil(now))).toEqual([["every call failed for 3 days: 500", now]]);
    expect(disabledAt(now, undefined)).toEqual([]);
  });

  test("after it was enabled, only when it has failed for so long since: the partition may have missed both", () => {
    const enabledAt = 10 * day;
    const first = enabledAt + 1_000;
    expect(disabledAt(first, failingUntil(first), { enabledAt })).toEqual([]);
    const last = enabledAt + 3 * day;
    expect(disabledAt(last, failingUntil(last), { enabledAt })).toHaveLength(1);
  });

  test("by what failed after it opened, where it was enabled before", () => {
    const enabledAt = -10 * day;
    expect(disabledAt(3 * day - 1, failingUntil(3 * day - 1), { enabledAt })).toEqual([]);
    expect(disabledAt(3 * day, failingUntil(3 * day), { enabledAt })).toHaveLength(1);
  });

  test("never for what opened its circuit days ago, with nothing left to probe with since", () => {
    const stale = failingUntil(minute);
    for (const now of [3 * day, 4 * day, 100 * day]) expect(disabledAt(now, stale)).toEqual([]);
  });

  test("not because an operator asks for a probe after such days, but once that has failed", () => {
    const now = 4 * day;
    const circuit = new Circuit(settings.circuit, failingUntil(minute));
    circuit.probeNow(now);
    expect(disabledAt(now, circuit.open)).toEqual([]);
    circuit.starts();
    circuit.fail("503", now + 10);
    expect(disabledAt(now + 20, circuit.open)).toEqual([["every call failed for 3 days: 503", now + 20]]);
  });

  test("also while its endpoint asks for a long pause at each failure", () => {
    const circuit = new Circuit(settings.circuit, failingUntil(3 * day - 1));
    circuit.starts();
    circuit.fail("503", 3 * day, day);
    expect(disabledAt(3 * day, circuit.open)).toHaveLength(1);
  });
});
