import type { PartitionStorage } from "../dependencies.ts";

export interface ClosableStorage {
  readonly storage: PartitionStorage;
  /** From then on nothing is read or written through it. */
  close(): void;
}

/**
 * Storage that can be taken away from whoever has it: what an object's former core still does, when
 * a fetch or a timer of its time comes back, must not reach the tables of the one that took its place.
 */
export function closable(inner: PartitionStorage): ClosableStorage {
  let isClosed = false;
  const open = (): PartitionStorage => {
    if (isClosed) throw new Error("the storage was taken over");
    return inner;
  };
  return {
    storage: {
      all: (statement, ...parameters) => open().all(statement, ...parameters),
      run: (statement, ...parameters) => open().run(statement, ...parameters),
      transaction: (body) => open().transaction(body),
      // Nobody waits for these, and nobody is left whom an alarm could wake.
      sync: () => (isClosed ? Promise.resolve() : inner.sync()),
      setAlarm: (at) => (isClosed ? Promise.resolve() : inner.setAlarm(at)),
      getAlarm: () => (isClosed ? Promise.resolve(null) : inner.getAlarm()),
    },
    close: () => void (isClosed = true),
  };
}
