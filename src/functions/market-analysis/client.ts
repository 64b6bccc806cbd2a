import type { AnalysisRpc, RunStatus } from "../../../durable-objects/analysis/rpc.ts";
import { isOverloaded, type Objects } from "../../objects.ts";

/** The objects that run analyses, one for each set, named by the analysis's id. */
export interface Analyses {
  /** Marks a set as to be run: from then on nothing is needed to have it run. @throws where it cannot be marked */
  request(id: string): Promise<void>;
  /** What runs now. Only for an id that has a result: every name that is asked for has an object. */
  runOf(id: string): Promise<RunStatus>;
}

export function createAnalyses(objects: Objects): Analyses {
  // Both may be repeated. A stub that failed stays broken, so that each attempt gets its own.
  const call = async <Answer>(id: string, operation: (object: AnalysisRpc) => Promise<Answer>) => {
    try {
      return await operation(objects.getByName(id) as AnalysisRpc);
    } catch (error) {
      if (isOverloaded(error)) throw error;
      return operation(objects.getByName(id) as AnalysisRpc);
    }
  };
  return {
    request: (id) => call(id, (object) => object.request()),
    runOf: (id) => call(id, (object) => object.runStatus()),
  };
}
