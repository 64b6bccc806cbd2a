import { averageOf } from "../../lib/money.ts";
import { type HistogramBar, PriceSketch, type StoredSketch } from "./price-sketch.ts";

/** How an auction ended, and at what price where it was sold. */
export interface Ending {
  readonly currency: string;
  readonly status: "sold" | "unsold" | "withdrawn";
  readonly price: number | null;
}

/** Auctions of one currency, as they are stored. */
export interface StoredTally {
  readonly sold: number;
  readonly unsold: number;
  readonly withdrawn: number;
  /** Of what was sold, in minor units; a text, since it may pass 2^53. */
  readonly sum: string;
  readonly lowest: number | null;
  readonly highest: number | null;
  readonly prices: StoredSketch;
}

/** What a currency's auctions were sold at, in minor units; null where nothing was sold. */
export interface PriceDistribution {
  readonly currency: string;
  readonly auctions: number;
  readonly sold: number;
  readonly min: number | null;
  readonly p5: number | null;
  readonly p25: number | null;
  readonly p50: number | null;
  readonly p75: number | null;
  readonly p95: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** By how much of itself a quantile may be off; 0 where it is exact. */
  readonly error: number;
  readonly histogram: readonly HistogramBar[];
}

/** Counts the auctions of one currency, one after the other. */
export class PriceTally {
  readonly counts = { sold: 0, unsold: 0, withdrawn: 0 };
  private sum = 0n;
  private lowest: number | null = null;
  private highest: number | null = null;
  private readonly prices: PriceSketch;

  constructor(stored?: StoredTally) {
    this.prices = new PriceSketch(stored?.prices);
    if (stored === undefined) return;
    const { sold, unsold, withdrawn, sum, lowest, highest } = stored;
    this.counts = { sold, unsold, withdrawn };
    this.sum = BigInt(sum);
    this.lowest = lowest;
    this.highest = highest;
  }

  add({ status, price }: Ending): void {
    this.counts[status] += 1;
    if (price === null) return;
    this.sum += BigInt(price);
    this.lowest = Math.min(this.lowest ?? price, price);
    this.highest = Math.max(this.highest ?? price, price);
    this.prices.add(price);
  }

  get auctions(): number {
    const { sold, unsold, withdrawn } = this.counts;
    return sold + unsold + withdrawn;
  }

  toStored(): StoredTally {
    const { lowest, highest } = this;
    return { ...this.counts, sum: String(this.sum), lowest, highest, prices: this.prices.toStored() };
  }

  describe(currency: string): PriceDistribution {
    const { sold } = this.counts;
    const { auctions, lowest: min, highest: max } = this;
    const quantiles = min === null || max === null ? [] : this.quantiles(min, max);
    const [p5 = null, p25 = null, p50 = null, p75 = null, p95 = null] = quantiles;
    return {
      currency,
      auctions,
      sold,
      ...{ min, p5, p25, p50, p75, p95, max },
      mean: averageOf(this.sum, sold),
      error: this.prices.error,
      histogram: this.prices.histogram(),
    };
  }

  /** An estimate is never beyond what was paid. */
  private quantiles(min: number, max: number): number[] {
    const estimates = this.prices.quantiles([0.05, 0.25, 0.5, 0.75, 0.95]);
    return estimates.map((price) => Math.min(Math.max(price, min), max));
  }
}
