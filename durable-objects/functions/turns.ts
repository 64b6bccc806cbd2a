import type { InvocationResult } from "../../src/functions/function.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import { invoke } from "./call.ts";
import type { Call } from "./calls-under-way.ts";
import { Deadlines } from "./deadlines.ts";
import type { Delivery } from "./delivery.ts";
import type { DrivenFunction } from "./driven.ts";
import type { GroupState } from "./group-state.ts";

/** How long what is finished may wait for a transaction that has to be anyway. */
const settleMs = 50;
/** Of a position that moved over what nobody wants: reading it again after a crash calls nothing. */
const idleSettleMs = 5_000;
/** With so many calls under way others end soon, and a moment's wait stores several at once. */
const manyCalls = 8;
const companyMs = 1;

const unwanted: InvocationResult = {
  outcomes: [],
  failure: { reason: "the endpoint wants no more calls (410)" },
};

export interface TurnsHost {
  readonly state: GroupState;
  /** Calls of all functions at a time. */
  readonly mostCalls: number;
  /** The functions with what they have on this partition. */
  driven(): Iterable<readonly [DrivenFunction, Delivery]>;
  /** Whether calls may start. */
  mayCall(): boolean;
  /** Everything that may start has been started, and is stored. */
  onTurn(): void;
  onFailure(error: unknown): void;
  onSuccess(): void;
}

/**
 * A turn looks at everything once: it starts what may start, stores that in one transaction
 * together with whatever else changed, and only then calls. So nothing is called whose call is not
 * on record, and what one turn finds of many ended calls costs one transaction.
 */
export class Turns {
  private readonly dependencies: PartitionDependencies;
  private readonly host: TurnsHost;
  private readonly deadlines: Deadlines;
  private isDue = false;
  private settlesAt = Number.POSITIVE_INFINITY;
  /** Which function is asked first: each in its turn, where there are more calls than may be made. */
  private first = 0;

  constructor(dependencies: PartitionDependencies, host: TurnsHost) {
    this.dependencies = dependencies;
    this.host = host;
    this.deadlines = new Deadlines(dependencies.clock);
  }

  /** Has a turn come, one for all that happens until then. */
  schedule(waitMs = 0): void {
    if (this.isDue) return;
    this.isDue = true;
    const turn = (): void => {
      this.isDue = false;
      this.attempt(() => this.turn());
    };
    if (waitMs === 0) void Promise.resolve().then(turn);
    else void this.dependencies.clock.sleep(waitMs).then(turn);
  }

  private attempt(body: () => void): void {
    try {
      body();
      this.host.onSuccess();
    } catch (error) {
      this.host.onFailure(error);
    }
  }

  private turn(): void {
    const started = this.startCalls();
    if (started.length > 0 || this.host.state.hasRowChanges) this.host.state.commit();
    else if (this.host.state.hasLedgerChanges) void this.settleWithin(settleMs);
    else void this.settleWithin(idleSettleMs);
    if (started.length > 0) void this.callOnceStored(started);
    this.host.onTurn();
  }

  /**
   * What is committed is on disk a moment later, and lost with the object until then: a call that
   * went out before would be forgotten, and made again beside itself. A runtime that holds requests
   * until then does not hold calls of entrypoints.
   */
  private async callOnceStored(started: readonly [DrivenFunction, Delivery, Call][]): Promise<void> {
    try {
      await this.dependencies.storage.sync();
    } catch (error) {
      // What cannot be stored ends the object; its next life knows of none of these.
      return this.host.onFailure(error);
    }
    for (const [driven, delivery, call] of started) void this.run(driven, delivery, call);
  }

  /** Whether what is under way keeps everything else from starting. */
  isHeldUp(now: number): boolean {
    const all = [...this.host.state.deliveries.values()];
    const calls = all.reduce((sum, { inFlight }) => sum + inFlight, 0);
    if (calls === 0) return false;
    return calls >= this.host.mostCalls || all.some((one) => one.isAlone || one.waitsAlone(now));
  }

  /** Nothing starts while the outbox is full: what ends could not be told. */
  private startCalls(): [DrivenFunction, Delivery, Call][] {
    const started: [DrivenFunction, Delivery, Call][] = [];
    if (!this.host.mayCall() || this.host.state.outbox.isFull) return started;
    const now = this.dependencies.clock.now();
    const all = [...this.host.driven()];
    if (all.some(([, { isAlone }]) => isAlone)) return started;
    let calls = all.reduce((sum, [, { inFlight }]) => sum + inFlight, 0);
    for (const [driven, delivery] of this.inTurn(all, now)) {
      while (calls < this.host.mostCalls) {
        const call = delivery.start(now, calls - delivery.inFlight);
        if (call === undefined) break;
        started.push([driven, delivery, call]);
        calls += 1;
        if (delivery.isAlone) return started;
      }
    }
    return started;
  }

  /** Whose calls may start, in which order: where one waits to be called alone, only that. */
  private inTurn(
    all: readonly (readonly [DrivenFunction, Delivery])[],
    now: number,
  ): readonly (readonly [DrivenFunction, Delivery])[] {
    const waiting = all.find(([, delivery]) => delivery.waitsAlone(now));
    if (waiting !== undefined) return [waiting];
    this.first = (this.first + 1) % Math.max(1, all.length);
    return [...all.slice(this.first), ...all.slice(0, this.first)];
  }

  /** What is only finished is stored with the next call's mark, or by itself when none comes. */
  private async settleWithin(waitMs: number): Promise<void> {
    const at = this.dependencies.clock.now() + waitMs;
    if (at >= this.settlesAt) return;
    this.settlesAt = at;
    await this.dependencies.clock.sleep(waitMs);
    // A sooner one has come, and settled this as well.
    if (this.settlesAt !== at) return;
    this.settlesAt = Number.POSITIVE_INFINITY;
    this.attempt(() => this.host.state.commit());
  }

  private async run(driven: DrivenFunction, delivery: Delivery, call: Call): Promise<void> {
    const { clock, group } = this.dependencies;
    const recordOf = this.host.state.recordOf.bind(this.host.state, driven.name);
    const context = { group, function: driven.name, deadlines: this.deadlines, recordOf };
    const told = await invoke(call, driven.invoke, context);
    // Only what can be disabled on every partition is: nobody could enable it again on one.
    const result = told.isGone === true && driven.disable === undefined ? unwanted : told;
    const wasOpen = delivery.circuit.open !== undefined;
    delivery.settle(call, result, clock.now());
    this.tellCircuit(delivery, wasOpen);
    this.schedule(delivery.inFlight >= manyCalls ? companyMs : 0);
  }

  private tellCircuit({ circuit: { open }, name }: Delivery, wasOpen: boolean): void {
    if (wasOpen === (open !== undefined)) return;
    const { group, logger, partition } = this.dependencies;
    const where = { group, partition, function: name };
    if (open === undefined) logger("info", "circuit.closed", where);
    else logger("warn", "circuit.opened", { ...where, reason: open.reason });
  }
}
