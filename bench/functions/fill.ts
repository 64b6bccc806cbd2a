import { BridgeClient } from "../harness/bridge-client.ts";
import { RecordFactory } from "../harness/records.ts";
import type { System } from "../harness/system.ts";

const keys = 1_000;

/** Fills partition 0 of the journal with bids as the edge writes them, on 1,000 keys in turn. */
export async function fillPartition(system: System, count: number): Promise<void> {
  const factory = new RecordFactory(0);
  const now = Date.now();
  await new BridgeClient(system).append(
    Array.from({ length: count }, (_, index) =>
      factory.bid(`item-${index % keys}`, `bidder-${index % 977}`, 100 + index, now),
    ),
  );
}
