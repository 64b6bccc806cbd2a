import type { Analysis, DecisionAnalysis } from "../../src/analyses/analysis.ts";
import { Reducer } from "../../src/auction/reducer.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { ObservedAuction } from "./observed-auction.ts";
import type { ReadOrder } from "./rpc.ts";

/** Takes a partition's records into an analysis's state. */
export interface Fold {
  /** Takes a run in offset order; inside the transaction that moves the position behind it. */
  take(run: readonly LogRecord[]): void;
}

/** @param state changed in place */
export function foldOf(
  analysis: Analysis,
  state: unknown,
  order: ReadOrder,
  storage: PartitionStorage,
): Fold {
  if (analysis.reads === "decisions") return decisionFold(analysis, state, order, storage);
  return {
    take: (run) => {
      for (const record of run) analysis.apply(state, record, order.parameters);
    },
  };
}

/** Puts a reducer between the journal and the analysis, as the live partition has one. */
function decisionFold(
  analysis: DecisionAnalysis<unknown, unknown>,
  state: unknown,
  { from, topic, partition, parameters }: ReadOrder,
  storage: PartitionStorage,
): Fold {
  const store = new ObservedAuction(storage, (decision) => analysis.apply(state, decision, parameters));
  // What lies before the stretch is no gap in it.
  if (store.state.position === 0) store.state.position = from;
  const context = { group: "replay", topic, itemsTopic: "", partition, onOutcome: () => undefined };
  const reducer = new Reducer(store, context);
  return {
    take: (run) => {
      store.prepare(run.map(({ key }) => key));
      for (const record of run) {
        reducer.apply(record);
        analysis.apply(state, { kind: "applied", streamTime: store.state.streamTime }, parameters);
      }
      // Nothing is sent, so that no departure waits for it.
      store.flush(Number.POSITIVE_INFINITY);
    },
  };
}
