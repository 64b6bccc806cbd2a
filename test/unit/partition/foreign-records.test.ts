import { describe, expect, test } from "vitest";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { topics } from "../../../src/topics.ts";
import { bid, listing, startsAt, World } from "./core-world.ts";
import { TellingLog } from "./telling-log.ts";

const later = startsAt + 60_000;

interface Foreign {
  readonly key?: string;
  readonly value?: string;
  readonly timestamp?: number;
  readonly headers?: LogRecord["headers"];
}

/** As they come through the bridge: what Kafka has as null is an empty text. */
const unreadable: Readonly<Record<string, Foreign>> = {
  "a record without a key": { key: "" },
  "a record that is not JSON": { value: "{ not JSON" },
  "a tombstone": { value: "" },
  "JSON that is no object": { value: "null" },
  "a record without headers": { headers: [] },
  "a record of another kind": { headers: [{ key: "ce_type", value: "shop.order.v1" }] },
  "nothing at all": { key: "", value: "", headers: [] },
  "a record without a time": { timestamp: -1 },
  "a record of the maximum size": { value: "x".repeat(1_048_000) },
};

describe.each([topics.journal, topics.items])("in %s", (topic) => {
  const good = topic === topics.journal ? bid("lamp", "ann", 5, startsAt) : listing("vase", startsAt, later);

  test.each(Object.keys(unreadable))(
    "%s is a dead letter with its coordinates, and the next goes on",
    async (name) => {
      const log = new TellingLog();
      const world = new World(log);
      await world.core.start();
      await world.list("lamp", later);
      const foreign = log.append({ ...good, ...unreadable[name] });
      log.append({ ...good, timestamp: startsAt });
      const status = await world.core.wake();
      expect(status).toMatchObject({ outbox: 0, deadLettered: 1 });
      expect(status.stalled).toBeUndefined();
      const letters = log.topic(topics.deadLetters).map(({ value }) => JSON.parse(value) as unknown);
      const coordinates = { group: "auction", topic, partition: 0, offset: foreign.offset };
      expect(letters).toMatchObject([{ ...coordinates, attempts: 1 }]);
      const item = await world.core.readItem({
        itemId: topic === topics.journal ? "lamp" : "vase",
        waitMs: 0,
      });
      expect(item).toMatchObject({ kind: "item", item: { bids: topic === topics.journal ? 1 : 0 } });
    },
  );
});
