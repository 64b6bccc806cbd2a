import { expect, test } from "vitest";
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import { BehindReader, type BehindReaderHost } from "../../../durable-objects/functions/behind-reader.ts";
import { Delivery } from "../../../durable-objects/functions/delivery.ts";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";

const head = 100_000;
const perFetch = 1_000;

function records(from: number): LogRecord[] {
  const count = Math.min(perFetch, head - from);
  return Array.from({ length: count }, (_, index) => ({
    ...{ topic: "t", partition: 0, offset: from + index, timestamp: 0 },
    ...{ key: "k", value: "{}", headers: [] },
  }));
}

test("a function with far to go does not hold up one that is nearly there", async () => {
  const at = (name: string, position: number): Delivery =>
    new Delivery(
      name,
      defaultSettings,
      { ledger: undefined, trail: "", parked: [] },
      { position, sequence: 0 },
      () => 0.5,
    );
  const driven = [
    [{ selects: () => false }, at("far", 0)],
    [{ selects: () => true }, at("near", head - 10)],
  ] as unknown as readonly (readonly [DrivenFunction, Delivery])[];
  const fetched: number[] = [];
  const log = {
    fetch: ({ offset }: { readonly offset: number }) => {
      fetched.push(offset);
      return Promise.resolve({ records: records(offset), next: Math.min(head, offset + perFetch) });
    },
  };
  const host: BehindReaderHost = {
    ...{ topic: "t", writer: "w", head: () => head, driven: () => driven, mayRead: () => true },
    ...{ recognize: () => undefined, lose: () => undefined, onRead: () => undefined },
    onFailure: (error) => {
      throw error;
    },
  };
  const clock = { now: () => 0 };
  const reader = new BehindReader({ clock, log, partition: 0 } as unknown as PartitionDependencies, host);
  reader.kick();
  await reader.rest();
  expect(fetched.indexOf(head - 10)).toBe(1);
  expect(fetched).toHaveLength(head / perFetch + 1);
});
