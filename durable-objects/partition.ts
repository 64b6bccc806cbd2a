import { DurableObject } from "cloudflare:workers";
import { configFromEnv } from "../src/config.ts";
import { createUpstashLog } from "../src/kafka/upstash.ts";
import { systemClock } from "../src/lib/clock.ts";
import { createConsoleLogger } from "../src/lib/log.ts";
import { groups } from "../src/topology.ts";
import type { PartitionDependencies, PartitionStorage, SqlRow, SqlValue } from "./dependencies.ts";
import { PartitionCore } from "./partition-core.ts";
import type {
  BidsPage,
  BidsQuery,
  CategoryStats,
  CellStats,
  ItemAnswer,
  ItemQuery,
  ListPage,
  ListQuery,
  PartitionRpc,
  PartitionStatus,
  PushBatch,
  PushResult,
  WindowQuery,
  WindowStats,
} from "./rpc.ts";

/**
 * The Durable Object of one consumer group and partition, named `{group}/{partition}`. Wires the
 * platform to `PartitionCore`, which does the work.
 */
export class Partition extends DurableObject<object> implements PartitionRpc {
  private readonly core: PartitionCore;

  constructor(context: DurableObjectState, env: object) {
    super(context, env);
    this.core = new PartitionCore(dependenciesOf(context, env));
    // Only storage is read here: the log is asked when the first call needs it.
    void context.blockConcurrencyWhile(() => this.core.start());
  }

  push(batch: PushBatch): Promise<PushResult> {
    return this.core.push(batch);
  }

  readItem(query: ItemQuery): Promise<ItemAnswer> {
    return this.core.readItem(query);
  }

  readBids(query: BidsQuery): Promise<BidsPage | null> {
    return this.core.readBids(query);
  }

  listItems(query: ListQuery): Promise<ListPage> {
    return this.core.listItems(query);
  }

  categoryStats(): Promise<CategoryStats> {
    return this.core.categoryStats();
  }

  windowStats(query: WindowQuery): Promise<readonly WindowStats[]> {
    return this.core.windowStats(query);
  }

  cellStats(): Promise<readonly CellStats[]> {
    return this.core.cellStats();
  }

  status(): Promise<PartitionStatus> {
    return this.core.status();
  }

  wake(): Promise<PartitionStatus> {
    return this.core.wake();
  }

  digest(): Promise<{ readonly position: number; readonly digest: string }> {
    return this.core.digest();
  }

  override alarm(): Promise<void> {
    return this.core.alarm();
  }
}

function dependenciesOf(context: DurableObjectState, env: object): PartitionDependencies {
  const config = configFromEnv(env);
  const { group, partition } = readName(context.id.name);
  return {
    group,
    partition,
    storage: storageOf(context.storage),
    log: createUpstashLog(config.kafka),
    clock: systemClock,
    logger: createConsoleLogger(config.logLevel),
    settings: config,
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

function storageOf(storage: DurableObjectStorage): PartitionStorage {
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      storage.sql.exec<Row>(statement, ...parameters).toArray(),
    run: (statement, ...parameters) => void storage.sql.exec(statement, ...parameters),
    transaction: (body) => storage.transactionSync(body),
    setAlarm: (at) => storage.setAlarm(at),
    getAlarm: () => storage.getAlarm(),
  };
}
