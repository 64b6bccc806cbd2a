import { DurableObject } from "cloudflare:workers";
import { configFromEnv } from "../src/config.ts";
import { createUpstashLog } from "../src/kafka/upstash.ts";
import { systemClock } from "../src/lib/clock.ts";
import { consoleLogger, createConsoleLogger, type RequestIds } from "../src/lib/log.ts";
import type { ReplaySettings, ReplayView, Stretch } from "../src/replays/replay.ts";
import { ReplayCatalog } from "./replays/catalog.ts";
import { ReplayConclusion } from "./replays/conclusion.ts";
import { ReplayPart } from "./replays/part.ts";
import {
  catalogName,
  type ConclusionAnswer,
  conclusionName,
  type ConclusionOrder,
  partName,
  type ReadAnswer,
  type ReadOrder,
  type ReplayCatalogRpc,
  type ReplayConclusionRpc,
  type ReplayPartRpc,
  type StartAnswer,
} from "./replays/rpc.ts";
import { platformStorage } from "./storage/platform.ts";

type ReplayRpc = ReplayCatalogRpc & ReplayPartRpc & ReplayConclusionRpc;

/** What replays may reach: their own objects, and no live group's. */
interface Bindings {
  readonly REPLAYS: DurableObjectNamespace<Rpc.DurableObjectBranded & ReplayRpc>;
}

/**
 * The Durable Objects of replays: `replays` keeps and drives all of them, `{id}/{partition}` reads one
 * partition for one of them, and `{id}/result` merges what was read. Wires the platform to the cores.
 */
export class Replay extends DurableObject<Bindings> implements ReplayRpc {
  private readonly core: ReplayCatalog | ReplayPart | ReplayConclusion;

  constructor(context: DurableObjectState, env: Bindings) {
    super(context, env);
    const core = coreOf(context, env);
    this.core = core;
    if (core instanceof ReplayCatalog) void context.blockConcurrencyWhile(() => core.resume());
  }

  private get catalog(): ReplayCatalog {
    if (this.core instanceof ReplayCatalog) return this.core;
    throw new TypeError("this is an object of one replay");
  }

  private get part(): ReplayPart {
    if (this.core instanceof ReplayPart) return this.core;
    throw new TypeError("this object reads no partition");
  }

  start(settings: ReplaySettings, stretches: readonly Stretch[], asker?: RequestIds): Promise<StartAnswer> {
    return this.catalog.start(settings, stretches, asker);
  }

  list(limit: number): Promise<readonly ReplayView[]> {
    return this.catalog.list(limit);
  }

  get(id: string): Promise<ReplayView | null> {
    return this.catalog.get(id);
  }

  cancel(id: string, credential: string, asker?: RequestIds): Promise<ReplayView | null> {
    return this.catalog.cancel(id, credential, asker);
  }

  read(order: ReadOrder): Promise<ReadAnswer> {
    return this.part.read(order);
  }

  state(): Promise<string | null> {
    return this.part.state();
  }

  conclude(order: ConclusionOrder): Promise<ConclusionAnswer> {
    if (this.core instanceof ReplayConclusion) return this.core.conclude(order);
    throw new TypeError("this object concludes nothing");
  }

  discard(): Promise<void> {
    if (!(this.core instanceof ReplayCatalog)) return this.core.discard();
    throw new TypeError("all replays are never discarded");
  }

  override alarm(): Promise<void> {
    return this.catalog.alarm();
  }
}

function coreOf(context: DurableObjectState, env: Bindings): ReplayCatalog | ReplayPart | ReplayConclusion {
  const config = configFromEnv(env);
  const storage = platformStorage(context.storage);
  const name = context.id.name ?? "";
  if (name === catalogName) {
    const logger = createConsoleLogger(config.logLevel);
    const objects = {
      part: (id: string, partition: number) =>
        env.REPLAYS.getByName(partName(id, partition)) as ReplayPartRpc,
      conclusion: (id: string) => env.REPLAYS.getByName(conclusionName(id)) as ReplayConclusionRpc,
    };
    // An audit is not thinned out with the other lines.
    return new ReplayCatalog({ storage, clock: systemClock, objects, logger, auditLogger: consoleLogger });
  }
  const deleteAll = () => context.storage.deleteAll();
  const [, id, role] = /^([0-9a-f-]{36})\/(\d{1,6}|result)$/.exec(name) ?? [];
  if (id === undefined) throw new Error(`no object of a replay is named ${name}`);
  if (role !== "result")
    return new ReplayPart({ storage, deleteAll, log: createUpstashLog(config.kafka), clock: systemClock });
  const stateOf = (partition: number) =>
    (env.REPLAYS.getByName(partName(id, partition)) as ReplayPartRpc).state();
  return new ReplayConclusion({ storage, deleteAll, clock: systemClock, stateOf });
}
