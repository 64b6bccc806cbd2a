/**
 * Kafka's default partitioner. The partition is computed here and sent explicitly with every
 * record, since HTTP servers in front of Kafka disagree on the mapping.
 */
const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;
const encoder = new TextEncoder();

/**
 * 32-bit murmur2 as Kafka computes it, signed like Java's `int`.
 * Source: `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const tail = length & ~3;
  let hash = seed ^ length;
  for (let index = 0; index < tail; index += 4) {
    let chunk =
      (bytes[index] ?? 0) |
      ((bytes[index + 1] ?? 0) << 8) |
      ((bytes[index + 2] ?? 0) << 16) |
      ((bytes[index + 3] ?? 0) << 24);
    chunk = Math.imul(chunk, multiplier);
    chunk ^= chunk >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(chunk, multiplier);
  }
  return finish(mixTail(hash, bytes, tail));
}

function mixTail(start: number, bytes: Uint8Array, tail: number): number {
  let hash = start;
  const rest = bytes.length - tail;
  if (rest === 0) return hash;
  if (rest === 3) hash ^= (bytes[tail + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (bytes[tail + 1] ?? 0) << 8;
  return Math.imul(hash ^ (bytes[tail] ?? 0), multiplier);
}

function finish(start: number): number {
  let hash = start ^ (start >>> 13);
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition of a key, in `[0, partitionCount)`: murmur2 of its UTF-8 bytes, sign bit off. */
export function partitionFor(key: string, partitionCount: number): number {
  return (murmur2(encoder.encode(key)) & 0x7fffffff) % partitionCount;
}
