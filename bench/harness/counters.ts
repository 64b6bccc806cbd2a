/** What an object has cost, in the units of the price list and of its log. */
export interface Counters {
  /** Calls of the object that are billed: pushes and alarms. */
  requests: number;
  rowsWritten: number;
  rowsRead: number;
  transactions: number;
  produces: number;
  recordsProduced: number;
  fetches: number;
  recordsFetched: number;
}

export function noCounts(): Counters {
  return {
    requests: 0,
    rowsWritten: 0,
    rowsRead: 0,
    transactions: 0,
    produces: 0,
    recordsProduced: 0,
    fetches: 0,
    recordsFetched: 0,
  };
}
