import type { Setting } from "../kafka/setting.ts";
import type { Receiver } from "./receiver.ts";
import type { Restate } from "./restate-server.ts";

/** Who is measured beside whom, and where. */
export interface Contest {
  readonly setting: Setting;
  readonly receiver: Receiver;
  /** Undefined where it could not be started. */
  readonly peer: Restate | undefined;
}

/**
 * Measures each of several sides, one after the other, and another one first in each round: whoever
 * always came behind the same side would have what that leaves behind, such as a warm broker.
 */
export async function inTurn<Results extends object>(
  sides: { readonly [Side in keyof Results]: () => Promise<Results[Side]> },
  round: number,
): Promise<Results> {
  const names = Object.keys(sides) as (keyof Results)[];
  const first = round % names.length;
  const results: Partial<Results> = {};
  for (const name of [...names.slice(first), ...names.slice(0, first)]) results[name] = await sides[name]();
  return results as Results;
}
