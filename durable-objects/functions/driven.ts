import type { FunctionSettings, Invoke } from "../../src/functions/function.ts";
import type { ReadRecord } from "./read-record.ts";

/** A function that a group drives. */
export interface DrivenFunction {
  readonly name: string;
  readonly settings: FunctionSettings;
  readonly invoke: Invoke;
  /** Where it begins on a partition that has nothing of it; a time is in milliseconds since the epoch. */
  readonly from: "earliest" | "latest" | number;
  selects(record: ReadRecord): boolean;
  /** Why it is not to be called at all; absent where it is. */
  readonly disabled?: string;
  /** When it was last enabled: what was held against it before is forgotten. */
  readonly enabledAt?: number;
  /** Its circuit may be open for so long, in milliseconds; then it is disabled. Absent: for ever. */
  readonly disableAfterMs?: number;
  /**
   * Has it disabled on every partition. `disabled` where this very call did it, also when it is
   * repeated with the same reason and time.
   */
  disable?(reason: string, at: number): Promise<"disabled" | "unchanged" | "unknown">;
}

/** Which functions a group drives; those of the topology, or what was subscribed. */
export interface FunctionSource {
  /** The functions as they are now. @throws when they cannot be told: those that are known go on */
  functions(): Promise<readonly DrivenFunction[]>;
}
