import type { Entry, ItemState } from "../../auction/state.ts";
import { hash53 } from "../../lib/hash.ts";

/** Characters that a partition's auctions may have together, about: they are written with each transaction. */
const mostOfPartition = 500_000;
/** The same of all partitions' auctions. */
const mostMerged = 1_000_000;
/** What is left of them when room is made, so that it is made rarely. */
const keptShare = 0.75;
const auctionCharacters = 150;
const bidCharacters = 20;
const allDraws = 2 ** 53;

export interface SampledAuction {
  /** By chance, but the same at each replay with the same seed: the auctions with the least are kept. */
  readonly draw: number;
  readonly increment: number;
  readonly reserve: number | null;
  /** What could stand whatever others do, in the order in which it was judged: who, and how much. */
  readonly bids: [bidderId: string, amount: number][];
  isFinished: boolean;
  /** What was paid, null where it was not sold. */
  price: number | null;
}

/** Auctions of one category, all of them while they fit; else as many as fit, by chance. */
export interface Sample {
  /** Auctions that began, that ended with a price or without, and that were withdrawn. */
  started: number;
  finished: number;
  withdrawn: number;
  /** An auction is in the sample where its draw is below this. */
  threshold: number;
  characters: number;
  /** By item id, with a sign before it: ids like `__proto__` or `12` are no names for members. */
  auctions: Record<string, SampledAuction>;
}

export function newSample(): Sample {
  return { started: 0, finished: 0, withdrawn: 0, threshold: allDraws, characters: 0, auctions: {} };
}

export function addAuction(sample: Sample, item: ItemState, seed: number): void {
  sample.started += 1;
  const { itemId, increment, reserve } = item;
  const draw = hash53(`${seed} ${itemId}`);
  if (draw >= sample.threshold) return;
  sample.auctions[nameOf(itemId)] = { draw, increment, reserve, bids: [], isFinished: false, price: null };
  sample.characters += auctionCharacters + itemId.length;
  makeRoom(sample, mostOfPartition);
}

/**
 * Takes a bid that stood, or that was too low for what stood above it. What else speaks against a bid
 * (its time, its currency, its bidder, the starting price) does so whoever else is there.
 */
export function addBid(sample: Sample, itemId: string, { kind, reason, bidderId, amount }: Entry): void {
  const auction = sample.auctions[nameOf(itemId)];
  if (auction === undefined || kind !== "bid" || (reason !== null && reason !== "too-low")) return;
  auction.bids.push([bidderId, amount]);
  sample.characters += bidCharacters + bidderId.length;
  makeRoom(sample, mostOfPartition);
}

/** @param price what was paid, null where it was not sold */
export function endAuction(sample: Sample, { itemId, phase }: ItemState, price: number | null): void {
  if (phase === "withdrawn") {
    // Its seller ended it: what would have been paid, nobody knows.
    sample.withdrawn += 1;
    remove(sample, nameOf(itemId));
    return;
  }
  sample.finished += 1;
  const auction = sample.auctions[nameOf(itemId)];
  if (auction === undefined) return;
  auction.isFinished = true;
  auction.price = price;
}

/** Two partitions' samples as one: by the lower of the two thresholds, since no item is in both. */
export function mergeSamples(left: Sample, right: Sample): Sample {
  const merged: Sample = {
    started: left.started + right.started,
    finished: left.finished + right.finished,
    withdrawn: left.withdrawn + right.withdrawn,
    threshold: Math.min(left.threshold, right.threshold),
    characters: left.characters + right.characters,
    auctions: { ...left.auctions, ...right.auctions },
  };
  dropFrom(merged, merged.threshold);
  makeRoom(merged, mostMerged);
  return merged;
}

/** Lowers the threshold until what is left fits. One auction that is too large for all is dropped too. */
function makeRoom(sample: Sample, most: number): void {
  if (sample.characters <= most) return;
  const draws = Object.values(sample.auctions).toSorted((left, right) => right.draw - left.draw);
  let characters = sample.characters;
  for (const auction of draws) {
    if (characters <= keptShare * most) break;
    characters -= charactersOf(auction);
    sample.threshold = auction.draw;
  }
  dropFrom(sample, sample.threshold);
}

function dropFrom(sample: Sample, threshold: number): void {
  for (const [name, { draw }] of Object.entries(sample.auctions)) if (draw >= threshold) remove(sample, name);
}

function remove(sample: Sample, name: string): void {
  const auction = sample.auctions[name];
  if (auction === undefined) return;
  sample.characters -= charactersOf(auction) + name.length - 1;
  delete sample.auctions[name];
}

/** Without its id's. */
function charactersOf({ bids }: SampledAuction): number {
  return bids.reduce((sum, [bidderId]) => sum + bidCharacters + bidderId.length, auctionCharacters);
}

function nameOf(itemId: string): string {
  return `=${itemId}`;
}
