/**
 * Kafka's default partitioner. The partition is computed here and sent explicitly with every
 * record, since HTTP servers in front of Kafka disagree on the mapping.
 */
const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;
const encoder = new TextEncoder();

// Nearly every key is short and ASCII; its bytes are written here, without an allocation.
const scratch = new Uint8Array(64);

/**
 * 32-bit murmur2 as Kafka computes it, signed like Java's `int`, of the first `length` bytes.
 * Source: `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array, length = bytes.length): number {
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
  return finish(mixTail(hash, bytes, tail, length));
}

function mixTail(start: number, bytes: Uint8Array, tail: number, length: number): number {
  let hash = start;
  const rest = length - tail;
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
  const hash = writeAscii(key) ? murmur2(scratch, key.length) : murmur2(encoder.encode(key));
  return (hash & 0x7fffffff) % partitionCount;
}

/** Whether the key's bytes are in `scratch` now: short and ASCII, a byte a character. */
function writeAscii(key: string): boolean {
  const { length } = key;
  if (length > scratch.length) return false;
  for (let index = 0; index < length; index += 1) {
    const code = key.charCodeAt(index);
    if (code > 0x7f) return false;
    scratch[index] = code;
  }
  return true;
}
