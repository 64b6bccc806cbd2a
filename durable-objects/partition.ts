import { DurableObject } from "cloudflare:workers";
import { configFromEnv } from "../src/config.ts";
import type { BoundFunction } from "../src/functions/binding.ts";
import type { Invoke } from "../src/functions/function.ts";
import { createGuardedFetch } from "../src/functions/http/guarded-fetch.ts";
import type { HttpEndpoint } from "../src/functions/http/http-function.ts";
import { createUpstashLog } from "../src/kafka/upstash.ts";
import { systemClock } from "../src/lib/clock.ts";
import { createConsoleLogger } from "../src/lib/log.ts";
import type { TopicRole } from "../src/topics.ts";
import type { Env } from "../src/env.ts";
import { spans } from "../src/tracing.ts";
import { createAnalyses } from "../src/functions/market-analysis/client.ts";
import { createReadProgress } from "../src/functions/market-analysis/progress.ts";
import { createDatabase } from "../src/database.ts";
import { handedOver } from "../src/endpoint-caller.ts";
import {
  type FunctionGroup,
  type FunctionGroupName,
  functionGroups,
  groups,
  readersOf,
} from "../src/topology.ts";
import type { PartitionDependencies, PartitionStorage } from "./dependencies.ts";
import { declaredSource } from "./functions/declared-source.ts";
import { FunctionGroupCore } from "./functions/function-group.ts";
import type {
  CallRecord,
  FunctionGroupRpc,
  FunctionGroupStatus,
  Redriven,
  SeekAnswer,
} from "./functions/rpc.ts";
import type { DeadLetterEntry } from "./functions/dead-letter-index.ts";
import type { ParkedEntry, ParkedPlace } from "./functions/delivery-store.ts";
import type { FunctionSource } from "./functions/driven.ts";
import { SubscriptionSource } from "./functions/subscription-source.ts";
import type { FollowAnswer, FollowQuery } from "./feed/rpc.ts";
import { createHandOn } from "./hand-on.ts";
import { PartitionCore } from "./partition-core.ts";
import type {
  AuctionObjectRpc,
  BidderBidsPage,
  BidderBidsQuery,
  BidsPage,
  BidsQuery,
  CategoryStats,
  CellStats,
  ItemAnswer,
  ItemQuery,
  ListPage,
  ListQuery,
  PartitionStatus,
  PushBatch,
  PushResult,
  RebuildAnswer,
  WindowQuery,
  WindowStats,
} from "./rpc.ts";
import { subscriptionsName } from "./subscriptions/rpc.ts";
import type { TrailAnswer } from "./trail/answer.ts";
import { closable, type ClosableStorage } from "./storage/closable.ts";
import { platformStorage } from "./storage/platform.ts";

/**
 * The Durable Object of one consumer group and partition, named `{group}/{partition}`. Wires the
 * platform to `PartitionCore`, which does the work.
 */
export class Partition extends DurableObject<Env> implements AuctionObjectRpc, FunctionGroupRpc {
  private core: PartitionCore | FunctionGroupCore;
  private coreStorage: ClosableStorage;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.coreStorage = closable(platformStorage(context.storage));
    this.core = coreOf(context, env, this.coreStorage.storage);
    // Only storage is read here: the log is asked when the first call needs it.
    void context.blockConcurrencyWhile(() => this.core.start());
  }

  private get auction(): PartitionCore {
    if (this.core instanceof PartitionCore) return this.core;
    throw new TypeError("a group of functions has no auctions");
  }

  private get functions(): FunctionGroupCore {
    if (this.core instanceof FunctionGroupCore) return this.core;
    throw new TypeError("group auction has no functions");
  }

  push(batch: PushBatch<TopicRole>): Promise<PushResult> {
    if (this.core instanceof FunctionGroupCore) return this.core.push(batch);
    const { topic } = batch;
    if (topic === "items" || topic === "journal") return this.core.push({ ...batch, topic });
    throw new TypeError(`group auction does not read ${topic}`);
  }

  functionGroupStatus(): Promise<FunctionGroupStatus> {
    return this.functions.functionGroupStatus();
  }

  wakeFunctions(): Promise<FunctionGroupStatus> {
    return this.functions.wakeFunctions();
  }

  subscriptionsChanged(): Promise<void> {
    return this.functions.subscriptionsChanged();
  }

  setPaused(isPaused: boolean): Promise<void> {
    return this.functions.setPaused(isPaused);
  }

  seek(offset: number, maySkip: boolean): Promise<SeekAnswer> {
    return this.functions.seek(offset, maySkip);
  }

  parked(limit: number, after?: ParkedPlace): Promise<readonly ParkedEntry[]> {
    return this.functions.parked(limit, after);
  }

  retryParked(key: string): Promise<number> {
    return this.functions.retryParked(key);
  }

  skipParked(key: string): Promise<number> {
    return this.functions.skipParked(key);
  }

  deadLetters(limit: number, before?: number): Promise<readonly DeadLetterEntry[]> {
    return this.functions.deadLetters(limit, before);
  }

  redrive(ids: readonly number[] | "all"): Promise<Redriven> {
    return this.functions.redrive(ids);
  }

  callsOf(offsets: readonly number[]): Promise<readonly CallRecord[]> {
    return this.functions.callsOf(offsets);
  }

  readItem(query: ItemQuery): Promise<ItemAnswer> {
    return this.auction.readItem(query);
  }

  readBids(query: BidsQuery): Promise<BidsPage | null> {
    return this.auction.readBids(query);
  }

  readBidderBids(query: BidderBidsQuery): Promise<BidderBidsPage> {
    return this.auction.readBidderBids(query);
  }

  listItems(query: ListQuery): Promise<ListPage> {
    return this.auction.listItems(query);
  }

  categoryStats(): Promise<CategoryStats> {
    return this.auction.categoryStats();
  }

  windowStats(query: WindowQuery): Promise<readonly WindowStats[]> {
    return this.auction.windowStats(query);
  }

  cellStats(): Promise<readonly CellStats[]> {
    return this.auction.cellStats();
  }

  trailOf(id: string): Promise<TrailAnswer> {
    return this.auction.trailOf(id);
  }

  follow(query: FollowQuery): Promise<FollowAnswer> {
    return this.auction.follow(query);
  }

  status(): Promise<PartitionStatus> {
    return this.auction.status();
  }

  wake(): Promise<PartitionStatus> {
    return this.auction.wake();
  }

  digest(): Promise<{ readonly position: number; readonly digest: string }> {
    return this.auction.digest();
  }

  async rebuild(maySkip: boolean): Promise<RebuildAnswer> {
    const core = this.auction;
    const why = await core.lostByRebuild();
    if (why !== null && !maySkip) return { kind: "loses", why };
    const { journal } = await core.status();
    await core.end();
    if (this.core !== core) return { kind: "busy" };
    await this.ctx.blockConcurrencyWhile(() => this.startOver());
    return { kind: "done", from: journal.position };
  }

  /** On empty storage, with nothing in memory of what was there. Fails as a whole: the object is then reset. */
  private async startOver(): Promise<void> {
    const { storage } = this.ctx;
    this.coreStorage.close();
    await storage.deleteAll();
    // It reads the log by itself, whoever calls it next.
    await storage.setAlarm(systemClock.now());
    this.coreStorage = closable(platformStorage(storage));
    this.core = coreOf(this.ctx, this.env, this.coreStorage.storage);
    await this.core.start();
  }

  override alarm(): Promise<void> {
    return this.core.alarm();
  }
}

function coreOf(
  context: DurableObjectState,
  env: Env,
  storage: PartitionStorage,
): PartitionCore | FunctionGroupCore {
  const dependencies = dependenciesOf(context, env, storage);
  const { group } = dependencies;
  if (!isFunctionGroup(group)) return new PartitionCore(dependencies);
  const declared = functionGroups[group];
  const source = sourceOf(declared, dependencies, context, env);
  const mostCalls = configFromEnv(env).functionConcurrency;
  return new FunctionGroupCore({ ...dependencies, random: Math.random, source, mostCalls }, declared);
}

/** Where the functions of a group come from: what the topology declares, or what was subscribed. */
function sourceOf(
  { functions }: FunctionGroup,
  { clock, logger }: PartitionDependencies,
  context: DurableObjectState,
  env: Env,
): FunctionSource {
  const endpoint = (called: HttpEndpoint): Invoke => handedOver(context.exports, called);
  const { allowLoopbackEndpoints: allowLoopback, subscriberHosts, subscribers } = configFromEnv(env);
  if (functions !== "subscriptions") {
    const database = createDatabase(env.DATABASE, clock);
    const analyses = createAnalyses(env.ANALYSES);
    const readProgress = createReadProgress(env.PARTITIONS);
    const binding = (name: string): BoundFunction => bindingNamed(env, name);
    const guarded = createGuardedFetch({ fetch: (url, init) => fetch(url, init), allowLoopback });
    const services = { clock, database, logger, analyses, readProgress, binding, endpoint, fetch: guarded };
    return declaredSource(functions, services);
  }
  return new SubscriptionSource({
    clock,
    addresses: { allowLoopback, hosts: subscriberHosts },
    patience: subscribers,
    subscriptions: () => env.SUBSCRIPTIONS.getByName(subscriptionsName),
    invokeOf: endpoint,
  });
}

/** @throws where wrangler.toml has no service binding of the name */
function bindingNamed(env: object, name: string): BoundFunction {
  const binding = (env as Readonly<Record<string, BoundFunction | undefined>>)[name];
  if (binding === undefined) throw new TypeError(`no service binding is named ${name}`);
  return binding;
}

function isFunctionGroup(group: string): group is FunctionGroupName {
  return Object.hasOwn(functionGroups, group);
}

function dependenciesOf(
  context: DurableObjectState,
  env: Env,
  storage: PartitionStorage,
): PartitionDependencies {
  const config = configFromEnv(env);
  const { group, partition } = readName(context.id.name);
  const logger = createConsoleLogger(config.logLevel);
  return {
    group,
    partition,
    storage,
    log: createUpstashLog(config.kafka),
    clock: systemClock,
    logger,
    settings: config,
    spans,
    handOn: createHandOn({
      logger,
      readersOf,
      push: (reader, batch) => env.PARTITIONS.getByName(`${reader}/${partition}`).push(batch),
    }),
    deliver: (feed, items) => env.FEEDS.getByName(feed).deliver(items),
  };
}

function readName(name: string | undefined): { readonly group: string; readonly partition: number } {
  const match = /^([a-z]+)\/(\d+)$/.exec(name ?? "");
  const [, group, partition] = match ?? [];
  if (group === undefined || partition === undefined || !Object.hasOwn(groups, group)) {
    throw new Error(`no group and partition is named ${name ?? "(nothing)"}`);
  }
  return { group, partition: Number(partition) };
}
