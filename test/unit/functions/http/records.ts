import type { FunctionRecord } from "../../../../src/functions/function.ts";

const defaultHeaders = {
  ce_specversion: "1.0",
  ce_id: "auction.bids/3/17/1",
  ce_source: "/groups/auction/3",
  ce_type: "gavel.bidder.outbid.v1",
  ce_time: "2026-11-24T02:24:56.432Z",
  ce_subject: "chair-1",
  "content-type": "application/json",
  gavel_sequence: "12",
};

interface RecordOptions extends Partial<Omit<FunctionRecord, "headers">> {
  /** Beside those of an output of Gavel; undefined takes one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** A record of `auction.notifications` as a function gets it. */
export function functionRecord({ headers = {}, ...record }: RecordOptions = {}): FunctionRecord {
  const { topic = "auction.notifications", partition = 3, offset = 41 } = record;
  const merged = Object.entries({ ...defaultHeaders, ...headers });
  return {
    id: `${topic}/${partition}/${offset}/notify`,
    topic,
    partition,
    offset,
    timestamp: Date.parse("2026-11-24T02:24:56.500Z"),
    key: "chair-1",
    value: '{"itemId":"chair-1","amount":1250}',
    attempt: 1,
    ...record,
    headers: merged.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }])),
  };
}

/** The same without any header: another producer's, which knows nothing of CloudEvents. */
export function plainRecord(record: Partial<FunctionRecord> = {}): FunctionRecord {
  return { ...functionRecord(), headers: [], ...record };
}
