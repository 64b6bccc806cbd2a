import { DurableObject } from "cloudflare:workers";
import type { PartitionDependencies } from "../../durable-objects/dependencies.ts";
import { declaredSource } from "../../durable-objects/functions/declared-source.ts";
import { FunctionGroupCore } from "../../durable-objects/functions/function-group.ts";
import type { FunctionGroupRpc, FunctionGroupStatus } from "../../durable-objects/functions/rpc.ts";
import { createHandOn } from "../../durable-objects/hand-on.ts";
import { PartitionCore } from "../../durable-objects/partition-core.ts";
import type { ItemQuery, PushBatch } from "../../durable-objects/rpc.ts";
import { configFromEnv } from "../../src/config.ts";
import { createDatabase } from "../../src/database.ts";
import type { Env } from "../../src/env.ts";
import type { BoundFunction } from "../../src/functions/binding.ts";
import type { Invoke } from "../../src/functions/function.ts";
import { createGuardedFetch } from "../../src/functions/http/guarded-fetch.ts";
import type { HttpEndpoint } from "../../src/functions/http/http-function.ts";
import { handedOver } from "../../src/endpoint-caller.ts";
import { createAnalyses } from "../../src/functions/market-analysis/client.ts";
import { createReadProgress } from "../../src/functions/market-analysis/progress.ts";
import { createUpstashLog } from "../../src/kafka/upstash.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { TopicRole } from "../../src/topics.ts";
import { type Counters, noCounts } from "../harness/counters.ts";
import { countedLog, countedStorage } from "./counted.ts";
import { groupOf, isMeasuredGroup } from "./function-groups.ts";
import { type Started, StartTimes } from "./start-times.ts";

export interface FunctionCounters extends Counters {
  /** Calls of the function. */
  readonly invocations: number;
}

/** What the benchmarks ask of an object of a group of functions. */
export interface MeasuredFunctionsRpc extends Pick<
  FunctionGroupRpc,
  "functionGroupStatus" | "wakeFunctions"
> {
  /** What the object has cost since it was made. */
  counters(): Promise<FunctionCounters>;
  /** Starts no more calls. */
  pause(): Promise<void>;
  /** Which records its function was called with since the last time, and when. */
  started(): Promise<Started>;
}

/** What a run of these benchmarks gives the Worker. */
export interface FunctionsEnv extends Env {
  readonly NO_OP: BoundFunction;
  readonly RECEIVER_URL?: string;
  readonly READERS?: string;
  /** Whether group `notified` is handed notifications. */
  readonly IS_NOTIFIED?: string;
}

/**
 * An object of a measured group, or of group `auction`, whose storage and log count what they are
 * asked for. The cores that do the work are the product's own. Named `{group}/{partition}` or
 * `{group}-{number}/{partition}`: each number is a group of its own, which begins at the log's start.
 */
export class Partition extends DurableObject<FunctionsEnv> implements MeasuredFunctionsRpc {
  readonly #counters = noCounts();
  #invocations = 0;
  readonly #startTimes = new StartTimes();
  readonly #core: PartitionCore | FunctionGroupCore;

  constructor(context: DurableObjectState, env: FunctionsEnv) {
    super(context, env);
    const match = /^([a-z]+)(-\d+)?\/(\d+)$/.exec(context.id.name ?? "");
    const [, group = "", number = "", partition] = match ?? [];
    const dependencies = this.#dependencies(group + number, Number(partition));
    this.#core = isMeasuredGroup(group)
      ? this.#functions(group, dependencies)
      : new PartitionCore(dependencies);
    void context.blockConcurrencyWhile(() => this.#core.start());
  }

  #dependencies(group: string, partition: number): PartitionDependencies {
    const config = configFromEnv(this.env);
    const logger: PartitionDependencies["logger"] = (level, event, fields) =>
      console[level](JSON.stringify({ event, ...fields }));
    return {
      group,
      partition,
      storage: countedStorage(this.ctx.storage, this.#counters),
      log: countedLog(createUpstashLog(config.kafka), this.#counters),
      clock: systemClock,
      logger,
      settings: config,
      handOn: createHandOn({
        logger,
        readersOf: (topic) =>
          topic === "notifications" && this.env.IS_NOTIFIED === "true" ? ["notified"] : [],
        push: (reader, batch) => this.env.PARTITIONS.getByName(`${reader}/${partition}`).push(batch),
      }),
    };
  }

  #functions(group: Parameters<typeof groupOf>[0], dependencies: PartitionDependencies): FunctionGroupCore {
    const declared = groupOf(group, {
      name: dependencies.group,
      onInvocation: () => (this.#invocations += 1),
      exports: this.ctx.exports,
      binding: this.env.NO_OP,
      receiverUrl: this.env.RECEIVER_URL ?? "",
      startTimes: this.#startTimes,
    });
    if (declared.functions === "subscriptions") throw new TypeError("a measured group declares its function");
    const database = createDatabase(this.env.DATABASE, systemClock);
    const endpoint = (called: HttpEndpoint): Invoke => handedOver(this.ctx.exports, called);
    const binding = (): BoundFunction => this.env.NO_OP;
    const source = declaredSource(declared.functions, {
      ...dependencies,
      database,
      binding,
      endpoint,
      fetch: createGuardedFetch({ fetch: (url, init) => fetch(url, init), allowLoopback: false }),
      analyses: createAnalyses(this.env.ANALYSES),
      readProgress: createReadProgress(this.env.PARTITIONS),
    });
    return new FunctionGroupCore({ ...dependencies, random: Math.random, source, mostCalls: 256 }, declared);
  }

  get #group(): FunctionGroupCore {
    if (this.#core instanceof FunctionGroupCore) return this.#core;
    throw new TypeError("group auction has no functions");
  }

  counters(): Promise<FunctionCounters> {
    return Promise.resolve({ ...this.#counters, invocations: this.#invocations });
  }

  pause(): Promise<void> {
    return this.#group.setPaused(true);
  }

  started(): Promise<Started> {
    return Promise.resolve(this.#startTimes.take());
  }

  push(batch: PushBatch<TopicRole>) {
    this.#counters.requests += 1;
    if (this.#core instanceof FunctionGroupCore) return this.#core.push(batch);
    return this.#core.push(batch as PushBatch);
  }

  readItem(query: ItemQuery) {
    if (this.#core instanceof PartitionCore) return this.#core.readItem(query);
    throw new TypeError("a group of functions has no auctions");
  }

  functionGroupStatus(): Promise<FunctionGroupStatus> {
    return this.#group.functionGroupStatus();
  }

  wakeFunctions(): Promise<FunctionGroupStatus> {
    return this.#group.wakeFunctions();
  }

  override alarm(): Promise<void> {
    this.#counters.requests += 1;
    return this.#core.alarm();
  }
}
