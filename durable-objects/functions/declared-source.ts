import type { DeclaredFunction } from "../../src/functions/declare.ts";
import { matches } from "../../src/functions/filter.ts";
import type { FunctionServices } from "../../src/functions/services.ts";
import type { DrivenFunction, FunctionSource } from "./driven.ts";

/** The functions that the topology declares for a group, each made once for this object. */
export function declaredSource(
  declared: Readonly<Record<string, DeclaredFunction>>,
  services: FunctionServices,
): FunctionSource {
  const functions = Object.entries(declared).map(([name, { create, from, ...settings }]): DrivenFunction => {
    const { filter } = settings;
    return {
      name,
      settings,
      from,
      invoke: create(services),
      selects: (record) => filter === undefined || matches(filter, record.event),
    };
  });
  return { functions: () => Promise.resolve(functions) };
}
