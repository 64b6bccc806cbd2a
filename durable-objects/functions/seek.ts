import type { PartitionDependencies } from "../dependencies.ts";
import type { GroupState } from "./group-state.ts";
import type { SeekAnswer } from "./rpc.ts";

/** How long a seek waits at least for calls that are under way. */
const restMs = 30_000;
const lookEveryMs = 20;
const offsetsTimeoutMs = 10_000;

export interface SeekHost {
  /** As named in the log. */
  readonly topic: string;
  readonly state: GroupState;
  /** Resolves when nothing is read any more; nothing new is, while the seek holds. */
  untilNothingIsRead(): Promise<void>;
  /** The position was moved, or stays: reading and calling go on. */
  onOver(): void;
}

/**
 * Has a group begin again at another offset. Nothing is called and nothing is read while the
 * position moves: a call that ended behind it would count for what is called again, and a fetch
 * that was answered behind it would move the position over what lies between. It holds in memory
 * alone, so that the end of the object ends the seek and leaves nothing paused.
 */
export class Seek {
  private readonly dependencies: PartitionDependencies;
  private readonly host: SeekHost;
  private isUnderWay = false;

  constructor(dependencies: PartitionDependencies, host: SeekHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  /** Nothing may be called or read. */
  get holds(): boolean {
    return this.isUnderWay;
  }

  /**
   * One at a time: of two at once the second is `busy`.
   * @param maySkip whether records may be left out that no function has finished
   * @throws {LogError} when the log cannot say where it begins and ends
   */
  async to(offset: number, maySkip: boolean): Promise<SeekAnswer> {
    if (this.isUnderWay) return { kind: "busy" };
    this.isUnderWay = true;
    try {
      const { start, end } = await this.bounds();
      if (offset > end) return { kind: "beyond", end };
      if (offset > this.lowest && !maySkip) return { kind: "skips", position: this.lowest };
      await this.host.untilNothingIsRead();
      if (!(await this.untilNothingIsCalled())) return { kind: "busy" };
      const from = this.lowest;
      // What was read and is deleted since is not lost by beginning behind it. What was deleted before it
      // was read is: whoever reads on from there finds that out, and tells it.
      const to = Math.max(offset, Math.min(start, from));
      this.host.state.seek(to);
      return { kind: "done", from, to };
    } finally {
      this.isUnderWay = false;
      this.host.onOver();
    }
  }

  /** First offset that some function has neither finished nor parked. */
  private get lowest(): number {
    const { deliveries, row } = this.host.state;
    return Math.min(row.position, ...[...deliveries.values()].map(({ position }) => position));
  }

  private async bounds(): Promise<{ readonly start: number; readonly end: number }> {
    const { clock, log, partition } = this.dependencies;
    const wanted = [{ topic: this.host.topic, partition }];
    const deadline = clock.now() + offsetsTimeoutMs;
    const [[first], [last]] = await Promise.all([
      log.offsets("earliest", wanted, deadline),
      log.offsets("latest", wanted, deadline),
    ]);
    // Without an answer nothing beyond what was read is known to be there.
    return { start: first?.offset ?? 0, end: last?.offset ?? this.host.state.row.position };
  }

  /** In this life of the object, or since one that has ended: then until the deadline that was stored. */
  private get isCalling(): boolean {
    const now = this.dependencies.clock.now();
    const deliveries = [...this.host.state.deliveries.values()];
    return deliveries.some(({ inFlight, quietUntil }) => inFlight > 0 || quietUntil > now);
  }

  private async untilNothingIsCalled(): Promise<boolean> {
    const { clock } = this.dependencies;
    const timeouts = [...this.host.state.deliveries.values()].map(({ settings }) => settings.timeoutMs);
    // A call that does not end by its deadline is waited for once more as long.
    const end = clock.now() + Math.max(restMs, ...timeouts.map((timeoutMs) => 2 * timeoutMs + lookEveryMs));
    while (this.isCalling && clock.now() < end) await clock.sleep(lookEveryMs);
    return !this.isCalling;
  }
}
