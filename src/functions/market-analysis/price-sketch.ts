/** Bits of a price at most: with so many each price is counted by itself. */
const allBits = 53;
/** Different counts at most; in JSON some 60 KB. */
const mostCounts = 4_096;
/** A histogram's: four bars from one power of two to the next. */
const histogramBits = 3;

export interface HistogramBar {
  /** Prices from here on, and below `to`. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** As it is stored: how many bits of a price count, and how many prices have them, by the lowest such price. */
export interface StoredSketch {
  readonly bits: number;
  readonly counts: readonly (readonly [price: number, count: number])[];
}

/**
 * Counts of prices in bounded space: exact up to 4,096 different ones, and from then on by their
 * leading bits, as many as keep it within that. So its error is relative, and its state depends on
 * which prices were added, and neither on their order nor on where it was stored between.
 * Source: HdrHistogram, whose precision is fixed instead.
 */
export class PriceSketch {
  private bits: number;
  private counts: Map<number, number>;
  private readonly most: number;

  constructor({ bits, counts }: StoredSketch = { bits: allBits, counts: [] }, most = mostCounts) {
    this.bits = bits;
    this.counts = new Map(counts);
    this.most = most;
  }

  add(price: number): void {
    const lowest = lowestWith(price, this.bits);
    this.counts.set(lowest, (this.counts.get(lowest) ?? 0) + 1);
    while (this.counts.size > this.most && this.bits > histogramBits) this.coarsen();
  }

  private coarsen(): void {
    this.bits -= 1;
    this.counts = countsWith(this.counts, this.bits);
  }

  /** By how much of itself a quantile may be off; 0 where it is exact. */
  get error(): number {
    return this.bits === allBits ? 0 : 2 ** -this.bits;
  }

  /** For each part, the smallest price that at least so many of all are not above; parts rise, from above 0 to 1. */
  quantiles(parts: readonly number[]): number[] {
    const sorted = this.sorted();
    const total = sorted.reduce((sum, [, count]) => sum + count, 0);
    let index = -1;
    let seen = 0;
    return parts.map((part) => {
      const rank = Math.max(1, Math.ceil(part * total));
      while (seen < rank && index < sorted.length - 1) {
        index += 1;
        seen += sorted[index]?.[1] ?? 0;
      }
      const lowest = sorted[index]?.[0] ?? 0;
      return lowest + Math.floor((widthAt(lowest, this.bits) - 1) / 2);
    });
  }

  /** Bars that have a price, whose edges are leading bits as well: their counts are exact. */
  histogram(): HistogramBar[] {
    const bars = countsWith(this.counts, histogramBits);
    return sortedEntries(bars).map(([from, count]) => ({
      from,
      to: from + widthAt(from, histogramBits),
      count,
    }));
  }

  toStored(): StoredSketch {
    return { bits: this.bits, counts: this.sorted() };
  }

  private sorted(): [number, number][] {
    return sortedEntries(this.counts);
  }
}

function sortedEntries(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort(([left], [right]) => left - right);
}

function countsWith(counts: ReadonlyMap<number, number>, bits: number): Map<number, number> {
  const coarser = new Map<number, number>();
  for (const [price, count] of counts) {
    const lowest = lowestWith(price, bits);
    coarser.set(lowest, (coarser.get(lowest) ?? 0) + count);
  }
  return coarser;
}

/** The lowest price with the same leading bits. */
function lowestWith(price: number, bits: number): number {
  return price - (price % widthAt(price, bits));
}

/** How many prices have the same leading bits. */
function widthAt(price: number, bits: number): number {
  return 2 ** Math.max(0, lengthOf(price) - bits);
}

/** Bits of a whole number below 2^53; a logarithm would round some up. */
function lengthOf(price: number): number {
  const high = Math.floor(price / 2 ** 32);
  return high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(price);
}
