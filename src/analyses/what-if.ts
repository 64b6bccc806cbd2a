import type { Decision, DecisionAnalysis } from "./analysis.ts";
import { spreadOf } from "./what-if/distribution.ts";
import { whatIfParameters, type WhatIfParameters } from "./what-if/parameters.ts";
import { addBid, addAuction, endAuction, mergeSamples, newSample, type Sample } from "./what-if/sample.ts";
import { finishedOf, type Seasons, simulationOf } from "./what-if/seasons.ts";

/** Bids and auctions walked at once: a few milliseconds. */
const walkedAtOnce = 200_000;

interface State {
  readonly sample: Sample;
  readonly seasons: Seasons;
}

/**
 * A seeded Monte Carlo simulation over a category's history: what would have been paid with another
 * reserve, or with a share of the bidders absent. Each season draws who is absent, and which auctions
 * there are, and puts the bids of those who are present to the auctions' rules again.
 *
 * Bidders are taken to bid what they bid, when they did: nobody answers to what others do otherwise.
 * A bid that was too low then stands now where what was above it is gone.
 */
export const whatIf: DecisionAnalysis<WhatIfParameters, State> = {
  reads: "decisions",
  topics: ["journal"],
  parameters: whatIfParameters,
  start: () => ({ sample: newSample(), seasons: { outcomes: [], prices: {} } }),

  apply({ sample }, decision: Decision, asked) {
    if (decision.kind === "applied") return;
    const { item } = decision;
    if (item.category !== asked.category || item.currency !== asked.currency) return;
    if (decision.kind === "judged") addBid(sample, item.itemId, decision.entry);
    else if (decision.from === null) addAuction(sample, item, asked.seed);
    if (decision.kind === "moved" && item.closedAt !== null) endAuction(sample, item, decision.price);
  },

  merge: (merged, { sample }) => ({ ...merged, sample: mergeSamples(merged.sample, sample) }),

  work(state, asked) {
    const { auctions, walked, run } = simulationOf(state.sample, asked);
    return {
      // Without an auction there is no season.
      steps: auctions === 0 ? 0 : asked.seasons,
      stepsAtOnce: Math.ceil(walkedAtOnce / Math.max(1, walked)),
      run: (season) => run(state.seasons, season),
    };
  },

  result({ sample, seasons }, { category, currency }) {
    const { finished, withdrawn, started } = sample;
    const sampled = finishedOf(sample);
    const sold = sampled.flatMap(({ price }) => (price === null ? [] : [price]));
    return {
      category,
      currency,
      auctions: { finished, withdrawn, unfinished: started - finished - withdrawn, sampled: sampled.length },
      observed: {
        sold: sold.length,
        sellThrough: sampled.length === 0 ? null : sold.length / sampled.length,
        prices: spreadOf(sold.map((price) => [BigInt(price), 1])),
      },
      simulated: resultOf(seasons, sampled.length),
    };
  },
};

/** Of all seasons: every price that was paid in one, and what each season came to. */
function resultOf({ outcomes, prices }: Seasons, auctions: number) {
  const priced = outcomes.filter(([sold]) => sold > 0);
  return {
    seasons: outcomes.length,
    prices: spreadOf(Object.entries(prices).map(([price, count]) => [BigInt(price), count])),
    perSeason: {
      sold: spreadOf(outcomes.map(([sold]) => [BigInt(sold), 1])),
      sellThrough:
        auctions === 0 || outcomes.length === 0
          ? null
          : outcomes.reduce((sum, [sold]) => sum + sold, 0) / (outcomes.length * auctions),
      averagePrice: spreadOf(priced.map(([sold, gross]) => [nearest(BigInt(gross), BigInt(sold)), 1])),
      grossValue: spreadOf(outcomes.map(([, gross]) => [BigInt(gross), 1])),
    },
  };
}

/** The quotient to the nearest integer, halves up. */
function nearest(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}
