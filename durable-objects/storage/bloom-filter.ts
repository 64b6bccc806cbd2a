const bitsPerHash = 10;
const probesPerHash = 6;

/** A Bloom filter that holds these 53-bit hashes: tells of about one other in a hundred that it may be there. */
export function filterOf(hashes: Float64Array): Uint32Array<ArrayBuffer> {
  const filter = new Uint32Array(Math.max(1, Math.ceil((hashes.length * bitsPerHash) / 32)));
  for (const hash of hashes) {
    probes(filter, hash, (word, mask) => {
      filter[word] = (filter[word] as number) | mask;
      return true;
    });
  }
  return filter;
}

export function mayContain(filter: Uint32Array, hash: number): boolean {
  return probes(filter, hash, (word, mask) => ((filter[word] as number) & mask) !== 0);
}

function probes(filter: Uint32Array, hash: number, visit: (word: number, mask: number) => boolean): boolean {
  const low = hash >>> 0;
  const step = Math.imul(Math.floor(hash / 0x100000000), 0x9e3779b1) | 1;
  const bits = filter.length * 32;
  for (let probe = 0; probe < probesPerHash; probe += 1) {
    const bit = ((low + Math.imul(probe, step)) >>> 0) % bits;
    if (!visit(bit >>> 5, 1 << (bit & 31))) return false;
  }
  return true;
}
