import fc from "fast-check";
import { expect, test } from "vitest";
import type { BidderBidsPage, BidderBidView } from "../../../durable-objects/rpc.ts";
import {
  decodePositions,
  encodePositions,
  mergeBids,
  type PartitionPage,
  type Positions,
} from "../../../src/routes/merge-bids.ts";

interface Row {
  readonly at: number;
  /** Whether a filter lets it through. */
  readonly isShown: boolean;
}

/** One partition's answer: entry number n is `rows[n - 1]`; at most `scan` entries are looked at. */
function page(
  rows: readonly Row[],
  partition: number,
  limit: number,
  scan: number,
  from: number,
): BidderBidsPage {
  const bids: { number: number; at: number; view: BidderBidView }[] = [];
  for (let number = from; number > 0; number -= 1) {
    const row = rows[number - 1];
    if (row?.isShown === true) {
      bids.push({ number, at: row.at, view: { partition, offset: number } as BidderBidView });
    }
    const isCut = bids.length === limit || from - number === scan - 1;
    if (isCut && number > 1) return { bids, rest: { through: number - 1, at: rows[number - 2]?.at ?? null } };
  }
  return { bids };
}

/** All pages, one after the other, as a client reads them. */
function readAll(partitions: readonly (readonly Row[])[], limit: number, scan: number): BidderBidView[] {
  const seen: BidderBidView[] = [];
  let from: Positions = new Map(partitions.map((rows, partition) => [partition, rows.length]));
  for (;;) {
    const pages = [...from].map(([partition, through]): PartitionPage => {
      return { partition, page: page(partitions[partition] ?? [], partition, limit + 1, scan, through) };
    });
    const { bids, next } = mergeBids(pages, limit);
    expect(bids.length).toBeLessThanOrEqual(limit);
    seen.push(...bids);
    if (next.size === 0) return seen;
    from = decodePositions(encodePositions(next), partitions.length);
  }
}

const limits = fc.integer({ min: 1, max: 7 });
const scans = fc.integer({ min: 1, max: 9 });

test("paging over partitions shows every bid once and each partition's in its order, whatever is cut short", () => {
  const row = fc.record({ at: fc.nat(20), isShown: fc.boolean() });
  const partitions = fc.array(fc.array(row, { maxLength: 30 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(partitions, limits, scans, (rows, limit, scan) => {
      const seen = readAll(rows, limit, scan);
      for (const [partition, own] of rows.entries()) {
        const expected = own.flatMap(({ isShown }, index) => (isShown ? [index + 1] : [])).toReversed();
        const offsets = seen.filter((bid) => bid.partition === partition).map(({ offset }) => offset);
        expect(offsets).toEqual(expected);
      }
    }),
  );
});

test("where times rise in each partition, the newest of all comes first, page after page", () => {
  const times = fc.array(fc.record({ at: fc.nat(60), isShown: fc.boolean() }), { maxLength: 30 });
  const partitions = fc.array(
    times.map((rows) => rows.toSorted((one, other) => one.at - other.at)),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(partitions, limits, scans, (rows, limit, scan) => {
      const at = readAll(rows, limit, scan).map(
        ({ partition, offset }) => rows[partition]?.[offset - 1]?.at ?? -1,
      );
      expect(at).toEqual(at.toSorted((one, other) => other - one));
    }),
  );
});

test("a place whose time is not known is waited for", () => {
  const view = { offset: 9 } as BidderBidView;
  const first = { partition: 0, page: { bids: [], rest: { through: 4, at: null } } };
  const second = { partition: 1, page: { bids: [{ number: 9, at: 50, view }] } };
  const { bids, next } = mergeBids([first, second], 10);
  expect(bids).toEqual([]);
  expect([...next]).toEqual([
    [0, 4],
    [1, 9],
  ]);
});

test.each([
  "",
  "~",
  "0",
  "0.",
  ".1",
  "0.0",
  "8.1",
  "0.1~0.2",
  "0.1~",
  "0.zzzzzzzzzzz",
  "0.1 ",
  "A.1",
  "-1.1",
])("%j is no cursor over eight partitions", (cursor) => {
  expect(() => decodePositions(cursor, 8)).toThrow("invalid-parameter");
});
