import type { PartitionRpc } from "../durable-objects/rpc.ts";
import { Problem } from "./lib/problem.ts";
import { groups } from "./topology.ts";

/** The objects of group `auction`, one per partition. */
export interface Partitions {
  readonly count: number;
  /**
   * Calls one object; once more, with a new stub, where the first call failed and the object is
   * not overloaded. Every operation of the object may be repeated.
   * @throws {Problem} `partition-unavailable`.
   */
  call<Answer>(partition: number, operation: (object: PartitionRpc) => Promise<Answer>): Promise<Answer>;
  /** Calls every object side by side, answers in partition order. @throws {Problem} */
  callAll<Answer>(operation: (object: PartitionRpc) => Promise<Answer>): Promise<Answer[]>;
}

/** What is used of a Durable Object namespace: a new stub for a name. */
interface Objects {
  getByName(name: string): unknown;
}

export function createPartitions(objects: Objects, count: number): Partitions {
  // A stub that failed stays broken, so that each attempt gets its own. Stubs promise the methods
  // of `PartitionRpc` with their answers cloned, which for plain data are the same types.
  const stub = (partition: number) => objects.getByName(`${groups.auction}/${partition}`) as PartitionRpc;
  const call: Partitions["call"] = async (partition, operation) => {
    try {
      return await operation(stub(partition));
    } catch (error) {
      if (isOverloaded(error)) throw unavailable(partition, error);
    }
    try {
      return await operation(stub(partition));
    } catch (error) {
      throw unavailable(partition, error);
    }
  };
  return {
    count,
    call,
    callAll: (operation) =>
      Promise.all(Array.from({ length: count }, (_, partition) => call(partition, operation))),
  };
}

/** More calls make an overloaded object worse. Source: Durable Objects, error handling. */
function isOverloaded(error: unknown): boolean {
  return typeof error === "object" && error !== null && "overloaded" in error && error.overloaded === true;
}

function unavailable(partition: number, cause: unknown): Problem {
  return new Problem("partition-unavailable", `Partition ${partition} does not answer`, { cause });
}
