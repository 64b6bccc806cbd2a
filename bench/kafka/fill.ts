import { Producer, stringSerializers } from "@platformatic/kafka";
import type { Bid } from "./bids.ts";
import type { Setting } from "./setting.ts";

const perCall = 1_000;

/** Appends bids to a topic, in order. */
export async function fillTopic({ brokers }: Setting, topic: string, bids: readonly Bid[]): Promise<void> {
  const producer = new Producer({
    clientId: "gavel-bench",
    bootstrapBrokers: [...brokers],
    serializers: stringSerializers,
    idempotent: true,
    acks: -1,
  });
  for (let start = 0; start < bids.length; start += perCall) {
    const messages = bids.slice(start, start + perCall).map((bid) => ({ topic, ...bid }));
    await producer.send({ messages });
  }
  await producer.close();
}
