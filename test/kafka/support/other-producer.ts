import { Producer } from "@platformatic/kafka";
import { partitionFor } from "../../../src/kafka/partitioner.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import { partitionCount } from "../../e2e/support/log-reader.ts";

/** A message as a producer that knows nothing of Gavel sends it. */
export interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly key?: string;
  readonly value: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const text = (part: string | null | undefined) => (part == null ? undefined : Buffer.from(part));

function producer(bootstrap: readonly string[], transactionalId?: string) {
  return new Producer<string, string | null, string, string>({
    clientId: "another",
    bootstrapBrokers: [...bootstrap],
    idempotent: true,
    ...(transactionalId !== undefined && { transactionalId }),
    serializers: { key: text, value: text, headerKey: text, headerValue: text },
  });
}

/** A tombstone's value is null, which the client's types do not know. */
function asSent(messages: readonly Message[]) {
  return messages.map((message) => ({ ...message, value: message.value as string }));
}

/** Appends as any producer does. */
export async function append(bootstrap: readonly string[], messages: readonly Message[]): Promise<void> {
  const plain = producer(bootstrap);
  await plain.send({ acks: -1, messages: asSent(messages) });
  await plain.close();
}

export interface OpenTransaction {
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** Appends within a transaction, which is open until it is told how to end. */
export async function begin(
  bootstrap: readonly string[],
  messages: readonly Message[],
): Promise<OpenTransaction> {
  const own = producer(bootstrap, `another-${crypto.randomUUID()}`);
  const transaction = await own.beginTransaction({});
  for (const message of asSent(messages)) await transaction.send({ messages: [message] });
  const end = async (how: () => Promise<unknown>): Promise<void> => {
    await how();
    await own.close();
  };
  return {
    commit: () => end(() => transaction.commit()),
    abort: () => end(() => transaction.abort()),
  };
}

let made = 0;

/** An item's id that lies in a partition. */
export function itemIn(partition: number): string {
  for (;;) {
    made += 1;
    const itemId = `reality-${made}`;
    if (partitionFor(itemId, partitionCount) === partition) return itemId;
  }
}

function event(topic: string, type: string, itemId: string, data: object): Message {
  made += 1;
  const now = new Date();
  return {
    topic,
    partition: partitionFor(itemId, partitionCount),
    key: itemId,
    value: JSON.stringify({ ...data, edge: { receivedAt: now.toISOString(), credential: "another" } }),
    headers: {
      ce_specversion: "1.0",
      ce_id: `another-${made}`,
      ce_source: "/another",
      ce_type: type,
      ce_subject: itemId,
    },
  };
}

/** A bid as the gateway would have written it. */
export function bidOn(itemId: string, bidderId: string, amount: number): Message {
  return event(topics.journal, eventTypes.bidPlaced, itemId, { itemId, bidderId, amount, currency: "EUR" });
}

/** A listing as the gateway would have written it. */
export function listingOf(itemId: string, title: string): Message {
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const terms = {
    itemId,
    sellerId: "sue",
    title,
    category: "lamps",
    currency: "EUR",
    startingPrice: 1,
    endsAt,
  };
  return event(topics.items, eventTypes.itemListed, itemId, terms);
}
