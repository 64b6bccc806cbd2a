/** Offsets in ascending order, each once or more, as `from, to, from, to, …`, both ends included: what is stored of many. */
export function toRanges(offsets: Iterable<number>): number[] {
  const ranges: number[] = [];
  for (const offset of offsets) {
    const last = ranges.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (last === offset - 1) ranges[ranges.length - 1] = offset;
    else if (last !== offset) ranges.push(offset, offset);
  }
  return ranges;
}

export function* fromRanges(ranges: readonly number[]): Generator<number> {
  for (let index = 0; index + 1 < ranges.length; index += 2) {
    const to = ranges[index + 1] as number;
    for (let offset = ranges[index] as number; offset <= to; offset += 1) yield offset;
  }
}
