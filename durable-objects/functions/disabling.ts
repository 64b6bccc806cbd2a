import type { PartitionDependencies } from "../dependencies.ts";
import type { Delivery } from "./delivery.ts";
import type { DrivenFunction } from "./driven.ts";
import type { GroupState } from "./group-state.ts";
import type { Failing } from "./ledger.ts";

/** A failure is looked at in the turn behind it. */
const freshMs = 60_000;

export interface DisablingHost {
  readonly state: GroupState;
  /** What is still to be told is told again when its retry is due. */
  onFailure(error: unknown): void;
  onSuccess(): void;
}

/**
 * Disables what has failed for too long, and has whoever keeps the functions know of what this
 * partition disabled: it asks until it is answered. Of several partitions that find the same, one
 * is answered that it was the one, and tells of it by an event.
 */
export class Disabling {
  private readonly dependencies: PartitionDependencies;
  private readonly host: DisablingHost;
  private readonly telling = new Set<string>();

  constructor(dependencies: PartitionDependencies, host: DisablingHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  look(driven: Iterable<readonly [DrivenFunction, Delivery]>): void {
    const now = this.dependencies.clock.now();
    for (const [one, delivery] of driven) {
      const reason = failedTooLong(one, delivery.failing, now);
      if (reason !== undefined && delivery.disabled === undefined) {
        delivery.disable({ reason, at: now, isUntold: true });
      }
      if (delivery.disabled?.isUntold === true && !this.telling.has(one.name)) {
        // On record first: asked again after a crash it has to be the same question.
        this.host.state.commit();
        void this.tell(one, delivery);
      }
    }
  }

  private async tell(driven: DrivenFunction, delivery: Delivery): Promise<void> {
    const { disabled, name } = delivery;
    if (disabled === undefined || driven.disable === undefined) return;
    this.telling.add(name);
    const { group, logger, partition } = this.dependencies;
    try {
      const answer = await driven.disable(disabled.reason, disabled.at);
      delivery.wasTold();
      this.host.onSuccess();
      if (answer !== "disabled") return;
      logger("warn", "function.disabled", { group, partition, function: name, reason: disabled.reason });
      this.host.state.tellDisabled(name, disabled);
    } catch (error) {
      this.host.onFailure(error);
    } finally {
      this.telling.delete(name);
    }
  }
}

/**
 * Why a function is to be disabled, where of all that failed for as long as it may nothing was done.
 * Counted from when it was last enabled, if that is later: a partition may have missed that it was
 * disabled and enabled. Judged right behind a failure: what failed once and was not called since, since
 * there was nothing to call it with, has not failed all the while.
 */
function failedTooLong(
  { disableAfterMs, enabledAt = 0 }: DrivenFunction,
  failing: Failing | undefined,
  now: number,
): string | undefined {
  if (disableAfterMs === undefined || failing === undefined || now - failing.at >= freshMs) return undefined;
  if (now - Math.max(failing.since, enabledAt) < disableAfterMs) return undefined;
  const days = Math.round(disableAfterMs / 86_400_000);
  return `nothing was done for ${days} days: ${failing.reason}`;
}
