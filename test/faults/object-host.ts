/**
 * Plays the runtime for one Partition object: brings it to life on a call, delivers its alarm at
 * least once with back-off, and takes its memory, or its storage as well, at any of its steps.
 */
import type { PartitionDependencies, PartitionSettings } from "../../durable-objects/dependencies.ts";
import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import { Disk, LivingStorage } from "./disk.ts";
import { Life } from "./life.ts";
import { LogClient } from "./log-client.ts";
import type { World } from "./log-client.ts";
import { partition } from "./memory-log.ts";

/** What the runtime calls of an object's core. */
export interface LivingCore {
  /** Migrates and loads; the runtime lets nothing else in before it is done. */
  start(): Promise<void>;
  alarm(): Promise<void>;
}

export type Core = PartitionRpc & LivingCore;

export type CoreConstructor<Living extends LivingCore = Core> = new (
  dependencies: PartitionDependencies,
) => Living;

/** The object was reset while the call was on its way. */
export class ObjectReset extends Error {
  override readonly name = "ObjectReset";
}

/** The runtime's back-off for an alarm that throws: from 2 s, doubling, six times. */
const alarmRetries = { first: 2_000, count: 6 } as const;

interface Incarnation<Living> {
  readonly life: Life;
  readonly core: Living;
  readonly started: Promise<void>;
}

export class ObjectHost<Living extends LivingCore = Core> {
  readonly disk: Disk;
  /** Failures of calls to a living object: the contract allows none. */
  readonly failures: string[] = [];
  readonly #world: World;
  readonly #core: CoreConstructor<Living>;
  readonly #settings: () => PartitionSettings;
  #incarnation: Incarnation<Living> | null = null;
  #alarmRuns = false;

  readonly #group: string;

  /** @param settings asked at each start: a deploy may change them from one life to the next */
  constructor(
    world: World,
    core: CoreConstructor<Living>,
    settings: () => PartitionSettings,
    group = "auction",
  ) {
    this.#group = group;
    this.#world = world;
    this.#core = core;
    this.#settings = settings;
    this.disk = new Disk((at) => this.#schedule(at));
  }

  /** Calls the object, which starts when it is not in memory. Rejects when it is reset meanwhile. */
  async call<Result>(method: (core: Living) => Promise<Result>): Promise<Result> {
    const { life, core, started } = this.#incarnation ?? this.#create();
    return new Promise((resolve, reject) => {
      life.onEnd(() => reject(new ObjectReset("the object was reset")));
      const told = started.then(() => method(core));
      told.then(
        (result) => life.alive && resolve(result),
        (error: unknown) => {
          if (!life.alive) return;
          this.failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
          life.end();
        },
      );
    });
  }

  /** Takes the object out of memory, as an eviction or a deploy does. */
  evict(): void {
    this.#incarnation?.life.end();
  }

  wipe(): void {
    this.evict();
    this.disk.wipe();
    this.#world.history.wiped();
  }

  #create(): Incarnation<Living> {
    const { scheduler, faults } = this.#world;
    const life = new Life(faults);
    life.onEnd(() => this.#ended());
    const core = new this.#core({
      group: this.#group,
      partition,
      storage: new LivingStorage(this.disk, life),
      log: new LogClient(this.#world, life),
      clock: {
        now: () => scheduler.now,
        sleep: (milliseconds, signal) =>
          life.wait((resolve) => {
            scheduler.after(milliseconds + faults.random.delay(2), resolve);
            signal?.addEventListener("abort", () => resolve());
          }),
      },
      logger: () => {},
      handOn: () => undefined,
      settings: this.#settings(),
    });
    const started = core.start().then(() => {
      life.started = true;
    });
    this.#incarnation = { life, core, started };
    if (!life.alive) this.#incarnation = null;
    return { life, core, started };
  }

  #ended(): void {
    const { faults, scheduler } = this.#world;
    this.#incarnation = null;
    // The step that the object crashed at may be inside a transaction, which rolls back first.
    if (faults.chance("wipe")) {
      faults.count("wipe");
      scheduler.after(0, () => this.wipe());
    }
  }

  #schedule(at: number): void {
    const { scheduler, faults } = this.#world;
    scheduler.after(at - scheduler.now + faults.random.delay(5), () => {
      if (this.disk.alarm === at && !this.#alarmRuns) void this.#deliverAlarm(0);
    });
  }

  async #deliverAlarm(retries: number): Promise<void> {
    const { scheduler } = this.#world;
    const { wipes } = this.disk;
    this.#alarmRuns = true;
    this.disk.alarm = null;
    const done = await this.call((core) => core.alarm()).then(
      () => true,
      () => false,
    );
    this.#alarmRuns = false;
    const { alarm } = this.disk;
    if (alarm !== null) return this.#schedule(alarm);
    if (done || this.disk.wipes !== wipes || retries >= alarmRetries.count) return;
    scheduler.after(alarmRetries.first * 2 ** retries, () => {
      if (this.disk.alarm === null && !this.#alarmRuns) void this.#deliverAlarm(retries + 1);
    });
  }
}
