import { type SubscriptionsRpc, subscriptionsName } from "../../durable-objects/subscriptions/rpc.ts";
import { Problem } from "../lib/problem.ts";
import { isOverloaded, type Objects } from "../objects.ts";

/** The object that keeps the subscriptions, as the Worker calls it. */
export interface SubscriptionsClient {
  /**
   * A call that changes nothing: made once more where it failed and the object is not overloaded.
   * @throws {Problem} `subscriptions-unavailable`.
   */
  read<Answer>(operation: (object: SubscriptionsRpc) => Promise<Answer>): Promise<Answer>;
  /**
   * A call that changes something: made once. Where it fails it may have taken effect, and a second
   * one would make another subscription, or another secret in place of one that is in use.
   * @throws {Problem} `subscriptions-unavailable`.
   */
  change<Answer>(operation: (object: SubscriptionsRpc) => Promise<Answer>): Promise<Answer>;
}

export function createSubscriptionsClient(objects: Objects): SubscriptionsClient {
  // A stub that failed stays broken, so that each attempt gets its own. Stubs promise the methods
  // of `SubscriptionsRpc` with their answers cloned, which for plain data are the same types.
  const stub = () => objects.getByName(subscriptionsName) as SubscriptionsRpc;
  const change: SubscriptionsClient["change"] = async (operation) => {
    try {
      return await operation(stub());
    } catch (error) {
      throw unavailable("The subscriptions do not answer; the change may have been made", error);
    }
  };
  const read: SubscriptionsClient["read"] = async (operation) => {
    try {
      return await operation(stub());
    } catch (error) {
      if (isOverloaded(error)) throw unavailable("The subscriptions do not answer", error);
    }
    try {
      return await operation(stub());
    } catch (error) {
      throw unavailable("The subscriptions do not answer", error);
    }
  };
  return { read, change };
}

function unavailable(detail: string, cause: unknown): Problem {
  return new Problem("subscriptions-unavailable", detail, { cause });
}
