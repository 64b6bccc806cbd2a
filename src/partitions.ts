import type { FunctionGroupRpc } from "../durable-objects/functions/rpc.ts";
import type { AuctionObjectRpc } from "../durable-objects/rpc.ts";
import { Problem } from "./lib/problem.ts";
import { isOverloaded, type Objects } from "./objects.ts";
import { type FunctionGroupName, functionGroups, groups } from "./topology.ts";

/** The objects of one group, one per partition. */
export interface GroupObjects<Rpc> {
  readonly count: number;
  /**
   * Calls one object; once more, with a new stub, where the first call failed and the object is
   * not overloaded: an operation that may be repeated.
   * @throws {Problem} `partition-unavailable`.
   */
  call<Answer>(partition: number, operation: (object: Rpc) => Promise<Answer>): Promise<Answer>;
  /**
   * Calls one object once, where a second call would be another change or another answer.
   * @throws {Problem} `partition-unavailable`; the change may have been made.
   */
  change<Answer>(partition: number, operation: (object: Rpc) => Promise<Answer>): Promise<Answer>;
  /** Calls every object side by side, answers in partition order. @throws {Problem} */
  callAll<Answer>(operation: (object: Rpc) => Promise<Answer>): Promise<Answer[]>;
}

/** The objects of group `auction`. */
export type Partitions = GroupObjects<AuctionObjectRpc>;

/** The objects of the groups that drive functions. */
export type FunctionPartitions = Readonly<Record<FunctionGroupName, GroupObjects<FunctionGroupRpc>>>;

export function createPartitions(objects: Objects, count: number): Partitions {
  return groupObjects<AuctionObjectRpc>(objects, groups.auction, count);
}

export function createFunctionPartitions(objects: Objects, count: number): FunctionPartitions {
  const names = Object.keys(functionGroups) as FunctionGroupName[];
  const made = names.map((name) => [name, groupObjects<FunctionGroupRpc>(objects, name, count)] as const);
  return Object.fromEntries(made) as Record<FunctionGroupName, GroupObjects<FunctionGroupRpc>>;
}

function groupObjects<Rpc>(objects: Objects, group: string, count: number): GroupObjects<Rpc> {
  // A stub that failed stays broken, so that each attempt gets its own. Stubs promise the methods
  // of their interface with their answers cloned, which for plain data are the same types.
  const stub = (partition: number) => objects.getByName(`${group}/${partition}`) as Rpc;
  const call: GroupObjects<Rpc>["call"] = async (partition, operation) => {
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
  const change: GroupObjects<Rpc>["change"] = async (partition, operation) => {
    try {
      return await operation(stub(partition));
    } catch (error) {
      throw unavailable(partition, error, "; the change may have been made");
    }
  };
  return {
    count,
    call,
    change,
    callAll: (operation) =>
      Promise.all(Array.from({ length: count }, (_, partition) => call(partition, operation))),
  };
}

function unavailable(partition: number, cause: unknown, consequence = ""): Problem {
  return new Problem("partition-unavailable", `Partition ${partition} does not answer${consequence}`, {
    cause,
  });
}
