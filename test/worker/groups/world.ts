import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Partition } from "../../../durable-objects/partition.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import type { Delivery } from "../../support/receiver/call.ts";
import { answered, type Call } from "../edge/client.ts";
import { type Endpoint, newEndpoint } from "../functions/receiver.ts";
import { append, eventually, newId, notification } from "../partition/world.ts";
import { operate, removeAll, subscribe } from "../subscriptions/world.ts";

const bindings = env as unknown as { readonly PARTITIONS: DurableObjectNamespace<Partition> };

function objectOfGroup(group: string, partition: number): DurableObjectStub<Partition> {
  return bindings.PARTITIONS.getByName(`${group}/${partition}`);
}

/** A partition may have to pass over what other files have left in the log, on a machine that is busy. */
const patienceMs = 40_000;

export interface View {
  readonly paused: boolean;
  readonly topics: readonly {
    readonly topic: string;
    readonly position: number;
    readonly endOffset: number | null;
    readonly startOffset: number | null;
    readonly lag: number | null;
    readonly lagMs: number | null;
  }[];
  readonly parked: number;
  readonly deadLettered: number;
  readonly oldest: number | null;
  readonly outbox: number;
  readonly [member: string]: unknown;
}

export interface Letter {
  readonly id: string;
  readonly partition: number;
  readonly function: string;
  readonly key: string;
  readonly offset: number;
  readonly attempts: number;
  readonly redriven: number;
  readonly error: string;
}

/** One partition of group `notify`, as an operator has it, with one subscriber on it. */
export class NotifyPartition {
  readonly partition: number;
  readonly endpoint: Endpoint;
  /** Name of the function that calls the subscriber. */
  readonly name: string;
  /** Whom this test's notifications are for: files share the log, and the subscriber wants no others. */
  readonly bidderId: string;

  private constructor(partition: number, endpoint: Endpoint, name: string, bidderId: string) {
    this.partition = partition;
    this.endpoint = endpoint;
    this.name = name;
    this.bidderId = bidderId;
  }

  /** With a subscriber of its own, who is the only one: the tests of a file share the subscriptions. */
  static async with(partition: number): Promise<NotifyPartition> {
    await removeAll();
    const endpoint = await newEndpoint();
    const bidderId = newId("bidder");
    const filter = { all: [{ field: "bidderId", equals: bidderId }] };
    const { id } = await subscribe({ url: endpoint.url, filter });
    const notify = new NotifyPartition(partition, endpoint, id, bidderId);
    // What the log holds of other tests is passed over before this one begins.
    await notify.wake();
    await notify.settled();
    return notify;
  }

  get path(): string {
    return `/v1/groups/notify/partitions/${this.partition}`;
  }

  private get object(): DurableObjectStub<Partition> {
    return objectOfGroup("notify", this.partition);
  }

  /** Appends one notification for each key, and has the object look. */
  async publish(...keys: readonly string[]): Promise<LogRecord[]> {
    const records = await append(...keys.map((key) => notification(this.partition, key, this.bidderId)));
    await this.object.wakeFunctions();
    return records;
  }

  wake(): Promise<unknown> {
    return this.object.wakeFunctions();
  }

  view(): Promise<View> {
    return answered<View>(operate(this.path), 200);
  }

  /** One operation, which must be answered so. */
  post<Body>(operation: string, body?: unknown, status = 200): Promise<Body> {
    const call: Call = body === undefined ? { method: "POST" } : { body };
    return answered<Body>(operate(`${this.path}/${operation}`, call), status);
  }

  async parked(): Promise<readonly Record<string, unknown>[]> {
    const { parked } = await answered<{ parked: Record<string, unknown>[] }>(
      operate(`${this.path}/parked`),
      200,
    );
    return parked;
  }

  /** Dead letters of this test's subscriber, in offset order. */
  async letters(): Promise<Letter[]> {
    const url = `/v1/groups/notify/dead-letters?partition=${this.partition}`;
    const { deadLetters } = await answered<{ deadLetters: Letter[] }>(operate(url), 200);
    const mine = deadLetters.filter((letter) => letter.function === this.name);
    return mine.toSorted((left, right) => left.offset - right.offset);
  }

  redrive<Body>(body: unknown, status = 200): Promise<Body> {
    return answered<Body>(operate("/v1/groups/notify/dead-letters/redrive", { body }), status);
  }

  /** What came to the subscriber, in the order of coming. */
  async deliveries(): Promise<Delivery[]> {
    const { calls, violations } = await this.endpoint.received();
    expect(violations).toEqual([]);
    return calls.flatMap(({ deliveries }) => [...deliveries]);
  }

  /** Waits until the subscriber has so many deliveries, and answers them all. */
  delivered(count: number): Promise<Delivery[]> {
    return eventually(async () => {
      const deliveries = await this.deliveries();
      return (
        deliveries.length >= count &&
        deliveries.every(({ verdict }) => verdict !== "unanswered") &&
        deliveries
      );
    }, patienceMs);
  }

  /** Waits until nothing is under way and the position is at the end. */
  settled(): Promise<View> {
    return eventually(async () => {
      const view = await this.view();
      return view.topics[0]?.lag === 0 && view.oldest === null && view.outbox === 0 && view;
    }, patienceMs);
  }
}

/** A refusal, as the problem that it has to be. */
export async function problemOf(to: string, status: number, options: Call = {}) {
  const response = await operate(to, options);
  expect(response.headers.get("content-type"), to).toBe("application/problem+json");
  return answered<{ code: string; detail: string; errors: { pointer: string; code: string }[] }>(
    response,
    status,
  );
}
