import type { PartitionStorage } from "../dependencies.ts";

/**
 * The partition's own seed of its hashes. One of two names with the same hash can hide the other,
 * and ids are what clients choose: a seed that nobody outside knows keeps them from making such a pair.
 * @param isUnseeded whether hashes without a seed are stored, which have seed 0
 */
export function readHashSeed(storage: PartitionStorage, isUnseeded: boolean): number {
  const [row] = storage.all<{ value: string }>(`SELECT value FROM bookkeeping WHERE name = 'hash_seed'`);
  if (row !== undefined) return Number(row.value);
  if (isUnseeded) return 0;
  const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
  storage.run(`INSERT INTO bookkeeping (name, value) VALUES ('hash_seed', ?)`, String(seed));
  return seed;
}
