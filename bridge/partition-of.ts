const MULTIPLIER = 0x5bd1e995;
const SEED = 0x9747b28c;

/**
 * The partition that Kafka's default partitioner gives a key: murmur2 of its UTF-8 bytes. Records
 * without a key share one partition for each call, as Kafka's sticky partitioner does for a batch.
 */
export function partitionOf(key: string | null, count: number, unkeyed: number): number {
  if (count === 0) return 0;
  return (key === null ? unkeyed : murmur2(Buffer.from(key)) & 0x7fffffff) % count;
}

/** 32-bit murmur2 as Kafka's clients compute it. */
function murmur2(data: Buffer): number {
  const length = data.length;
  let hash = SEED ^ length;
  let position = 0;
  for (; position + 4 <= length; position += 4) {
    let word = Math.imul(data.readInt32LE(position), MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length - position;
  if (rest > 2) hash ^= (data[position + 2] ?? 0) << 16;
  if (rest > 1) hash ^= (data[position + 1] ?? 0) << 8;
  if (rest > 0) hash = Math.imul(hash ^ (data[position] ?? 0), MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}
