import { catalogName, type ReplayCatalogRpc } from "../../durable-objects/replays/rpc.ts";
import { Problem } from "../lib/problem.ts";
import { isOverloaded, type Objects } from "../objects.ts";

/**
 * Calls the object that keeps the replays: once more where it failed and is not overloaded. Each of
 * its operations may be repeated, since a replay has its id before it starts.
 * @throws {Problem} `replays-unavailable`.
 */
export type ReplaysClient = <Answer>(
  operation: (object: ReplayCatalogRpc) => Promise<Answer>,
) => Promise<Answer>;

export function createReplaysClient(objects: Objects): ReplaysClient {
  // A stub that failed stays broken, so that each attempt gets its own. Stubs promise the methods
  // of their interface with their answers cloned, which for plain data are the same types.
  const stub = () => objects.getByName(catalogName) as ReplayCatalogRpc;
  return async (operation) => {
    try {
      return await operation(stub());
    } catch (error) {
      if (isOverloaded(error)) throw unavailable(error);
    }
    try {
      return await operation(stub());
    } catch (error) {
      throw unavailable(error);
    }
  };
}

function unavailable(cause: unknown): Problem {
  return new Problem("replays-unavailable", "The replays do not answer", { cause });
}
