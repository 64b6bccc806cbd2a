import type { PartitionState, Waiter } from "./partitions.ts";

/** Resolves when one partition has grown past its offset, the time is up, or the caller gives up. */
export function waitForRecords(
  positions: readonly {
    readonly partition: PartitionState;
    readonly position: { readonly offset: number };
  }[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const timer = setTimeout(finish, timeoutMs);
    const waiters = positions.map(({ partition, position }) => {
      const waiter: Waiter = { offset: position.offset, wake: finish };
      partition.waiters.add(waiter);
      return { partition, waiter };
    });
    signal?.addEventListener("abort", finish, { once: true });
    function finish(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      for (const { partition, waiter } of waiters) partition.waiters.delete(waiter);
      resolve();
    }
  });
}
