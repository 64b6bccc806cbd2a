/** Index of the first element that is not before `value`, by binary search: where it is, or belongs. */
export function firstNotBefore<Value>(
  sorted: readonly Value[],
  value: Value,
  isBefore: (left: Value, right: Value) => boolean,
): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(sorted[middle] as Value, value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
