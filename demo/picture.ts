import type { PublishedAuction } from "./auctions.ts";
import type { JudgedBid } from "./gateway.ts";

const width = 820;
const height = 420;
const plot = { left: 64, right: 796, top: 64, bottom: 368 };
const dayMs = 86_400_000;

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Draws an auction's bids over time as Gavel judged them: accepted bids carry the price's steps,
 * rejected ones lie under them. The picture brings its own ground, so that it reads on a light
 * page and on a dark one, and it holds no date, so that the same bids give the same picture.
 */
export function drawAuction(auction: PublishedAuction, bids: readonly JudgedBid[], epoch: number): string {
  const top = niceCeiling(Math.max(auction.closingPrice, ...bids.map(({ amount }) => amount)));
  const place = (at: number, amount: number): Point => ({
    x: round(plot.left + (at / (auction.days * dayMs)) * (plot.right - plot.left)),
    y: round(plot.bottom - (amount / top) * (plot.bottom - plot.top)),
  });
  const placed = bids.map((bid) => ({ ...bid, ...place(Date.parse(bid.at) - epoch, bid.amount) }));
  const accepted = placed.filter(({ outcome }) => outcome === "accepted");
  const rejected = placed.filter(({ outcome }) => outcome === "rejected");
  const bidders = new Set(bids.map(({ bidderId }) => bidderId)).size;
  const heading = `eBay auction ${auction.id}: ${bids.length} bids by ${bidders} bidders`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${heading}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    `<text x="${plot.left}" y="30" font-size="16" font-weight="600" fill="#1f2328">${heading}</text>`,
    ...legend(accepted.length, rejected.length),
    ...priceAxis(top, place),
    ...dayAxis(auction.days, place),
    `<path d="${steps(accepted)}" fill="none" stroke="#0969da" stroke-width="2"/>`,
    ...rejected.map(
      ({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="none" stroke="#bc4c00" stroke-width="1.5"/>`,
    ),
    ...accepted.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3.5" fill="#0969da"/>`),
    `</svg>`,
  ].join("\n")}\n`;
}

/** The price: constant until the next accepted bid, and to the auction's end. */
function steps(accepted: readonly Point[]): string {
  const [first, ...rest] = accepted;
  if (first === undefined) return "";
  return `M${first.x} ${first.y}${rest.map(({ x, y }) => `H${x}V${y}`).join("")}H${plot.right}`;
}

function legend(accepted: number, rejected: number): string[] {
  return [
    `<circle cx="${plot.left + 6}" cy="46" r="3.5" fill="#0969da"/>`,
    `<text x="${plot.left + 16}" y="50" fill="#1f2328">${accepted} accepted</text>`,
    `<circle cx="${plot.left + 126}" cy="46" r="3" fill="none" stroke="#bc4c00" stroke-width="1.5"/>`,
    `<text x="${plot.left + 136}" y="50" fill="#1f2328">${rejected} rejected</text>`,
  ];
}

function priceAxis(top: number, place: (at: number, amount: number) => Point): string[] {
  return [0, 1, 2, 3, 4, 5].flatMap((fifth) => {
    const amount = (top * fifth) / 5;
    const { y } = place(0, amount);
    return [
      `<line x1="${plot.left}" y1="${y}" x2="${plot.right}" y2="${y}" stroke="#d8dee4"/>`,
      `<text x="${plot.left - 8}" y="${y + 4}" text-anchor="end" fill="#59636e">$${amount / 100}</text>`,
    ];
  });
}

function dayAxis(days: number, place: (at: number, amount: number) => Point): string[] {
  return Array.from({ length: days + 1 }, (_, day) => {
    const { x } = place(day * dayMs, 0);
    const anchor = day === days ? "end" : "middle";
    return `<text x="${x}" y="${plot.bottom + 22}" text-anchor="${anchor}" fill="#59636e">${day === 0 ? "start" : `day ${day}`}</text>`;
  });
}

/** The next round amount whose fifths are round as well. */
function niceCeiling(amount: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(amount, 100)));
  const factor = [1, 1.5, 2, 2.5, 3, 4, 5].find((candidate) => candidate * power >= amount) ?? 10;
  return factor * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
