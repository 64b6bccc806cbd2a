import { describeError } from "../src/lib/log.ts";
import { computeNextAlarm, guardMs, tickRetryMs } from "./alarm.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { Failures, type Activity } from "./failures.ts";
import { LogWait } from "./log-wait.ts";

export interface WakeUpsHost {
  /** Nothing is applied or sent any more. */
  isStopped(): boolean;
  /** Records are known to be missing, or outputs or calls are under way. */
  hasWork(): boolean;
  /** When something is due next by the clock, in milliseconds since the epoch; null where nothing is. */
  nextDue(): number | null;
  /** The last record's time was set by a trusted credential, whose clock the partition follows. */
  followsTrustedTime(): boolean;
}

/** What failed or waits, and the object's one alarm, which goes on with it. */
export class WakeUps {
  private readonly dependencies: PartitionDependencies;
  private readonly host: WakeUpsHost;
  private readonly failures = new Failures();
  /** When the alarm is set for. */
  private at: number | null = null;
  private tickNotBefore = 0;

  constructor(dependencies: PartitionDependencies, host: WakeUpsHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  async load(): Promise<void> {
    this.at = await this.dependencies.storage.getAlarm();
    this.arm();
  }

  /** The alarm fires: none is set any more. */
  fired(): void {
    this.at = null;
  }

  /** Nothing is lost by a failure: the log still has it, and the alarm goes on. */
  fail(activity: Activity, error: unknown): void {
    const { clock } = this.dependencies;
    const message = describeError(error);
    if (!(error instanceof LogWait)) {
      this.failures.fail(activity, message, clock.now());
      this.tell("warn", "partition.stalled", activity, message);
    } else if (this.failures.wait(activity, message, clock.now())) {
      this.tell("info", "partition.waits", activity, message);
    }
    try {
      this.arm();
    } catch {
      // The state cannot be read either: the alarm tries that again.
      if (this.at === null) this.set(clock.now() + guardMs);
    }
  }

  private tell(level: "info" | "warn", event: string, activity: Activity, error: string): void {
    const { logger, partition } = this.dependencies;
    logger(level, event, { partition, activity, error });
  }

  succeed(activity: Activity): void {
    this.failures.succeed(activity);
  }

  /** Whether an activity may be tried: it did not fail, or its retry is due. */
  isDue(activity: Activity): boolean {
    return this.failures.retryAtOf(activity) <= this.dependencies.clock.now();
  }

  /** Why the partition does not move, in a plain sentence; undefined when it does. */
  get stalled(): string | undefined {
    return this.failures.summaryAt(this.dependencies.clock.now());
  }

  /** Something is still due: the partition is busy, or its outbox full. Asking again at once would not help. */
  postponeTick(): void {
    const now = this.dependencies.clock.now();
    const nextDue = this.host.nextDue();
    if (nextDue !== null && nextDue <= now) this.tickNotBefore = now + tickRetryMs;
  }

  arm(): void {
    const { failures } = this;
    const isStopped = this.host.isStopped();
    const at = computeNextAlarm({
      now: this.dependencies.clock.now(),
      retryAt: failures.retryAt,
      // A partition that stopped only looks now and then whether its topics are back.
      hasWork: !isStopped && this.host.hasWork(),
      nextDue: isStopped ? null : this.host.nextDue(),
      tickNotBefore: Math.max(
        this.tickNotBefore,
        failures.retryAtOf("tick"),
        failures.retryAtOf("read the journal"),
      ),
      trustedTime: this.host.followsTrustedTime(),
    });
    // An alarm that is set earlier fires and computes again; moving it costs a row each time.
    if (at !== null && (this.at === null || at < this.at)) this.set(at);
  }

  private set(at: number): void {
    this.at = at;
    void this.dependencies.storage.setAlarm(at);
  }
}
