import type { LogRecord } from "../../../src/kafka/port.ts";
import { acknowledgementViolations } from "./acknowledgements.ts";
import type { Attempt, Period } from "./history.ts";
import { outputViolations } from "./outputs.ts";
import { stateViolations } from "./states.ts";

/** The topics that are looked at. */
export const checkedRoles = ["items", "journal", "completed", "notifications", "deadLetters"] as const;

/** Each by partition, in the order of offsets. */
export type WholeLog = Readonly<Record<(typeof checkedRoles)[number], readonly (readonly LogRecord[])[]>>;

/** What a run leaves behind: what clients know, what the log holds, what the API answers. */
export interface Evidence {
  /** A client's attempts in the order of sending. */
  readonly attempts: readonly Attempt[];
  /** When something was broken, so that the gateway may have repeated a produce. */
  readonly disturbances: readonly Period[];
  readonly log: WholeLog;
  /** What `GET /v1/items/{itemId}` answers, once everything has taken effect. */
  readonly items: ReadonlyMap<string, unknown>;
}

/**
 * Whether the system kept its word. Nothing of the product has a part in the judgement: the log is
 * compared with what clients were told, and the state with what a plain model makes of the log.
 * @returns every violation, in plain words; none when all is well.
 */
export function violationsOf(evidence: Evidence): string[] {
  return [
    ...acknowledgementViolations(evidence),
    ...stateViolations(evidence),
    ...outputViolations(evidence.log),
  ];
}
