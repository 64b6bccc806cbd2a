import { describeError } from "../../src/lib/log.ts";
import type { Objects } from "../../src/objects.ts";
import type { FunctionGroupName } from "../../src/topology.ts";
import type { FunctionGroupRpc } from "../functions/rpc.ts";

/**
 * Tells every partition that there is a new version of the subscriptions; rejects where one could
 * not be told. Best effort: a partition asks for itself at a start, at each alarm and with the sweep.
 */
export type TellPartitions = (version: number) => Promise<void>;

/** The group whose partitions deliver to subscribers. */
const toldGroup = "notify" satisfies FunctionGroupName;

type Told = Pick<FunctionGroupRpc, "subscriptionsChanged">;

/** Calls the object of every partition, side by side; one that fails keeps no other from hearing of it. */
export function createTellPartitions(objects: Objects, count: number): TellPartitions {
  const tell = async (partition: number, version: number): Promise<void> => {
    const object = objects.getByName(`${toldGroup}/${partition}`) as Told;
    await object.subscriptionsChanged(version);
  };
  return async (version) => {
    const calls = Array.from({ length: count }, (_, partition) => tell(partition, version));
    const failed = (await Promise.allSettled(calls)).filter((call) => call.status === "rejected");
    const [first] = failed;
    if (first === undefined) return;
    throw new Error(`${failed.length} of ${count} partitions: ${describeError(first.reason)}`);
  };
}
