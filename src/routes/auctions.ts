import type { CompletedAuction } from "../functions/completed-event.ts";
import type { Credential } from "../ingest/authenticate.ts";
import { decodeCursor, encodeCursor, type Place } from "../lib/cursor.ts";
import { averageOf, toRawNumber } from "../lib/money.ts";
import { formatTimestamp } from "../lib/time.ts";
import { listAuctions } from "../read-model/auctions.ts";
import { type DayTotals, listTotals, type TotalsPlace } from "../read-model/totals.ts";
import { admit, type AppContext } from "./operation.ts";
import { auctionParameters, readParameters, separateAttributes, totalsParameters } from "./parameters.ts";

/** `GET /v1/auctions`: finished auctions of the read model, the last closed first. */
export async function getAuctions(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "read");
  const { attributes, others } = separateAttributes(context.req.queries());
  const { cursor, limit, status, category, from, to } = readParameters(auctionParameters, others);
  const { auctions, next } = await listAuctions(services.database, {
    attributes,
    limit,
    ...(status === undefined ? {} : { status }),
    ...(category === undefined ? {} : { category }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(cursor === undefined ? {} : { after: decodeCursor("closed", cursor) }),
  });
  return context.json({
    auctions: auctions.map((auction) => redact(auction, credential)),
    ...(next === undefined ? {} : { next: encodeCursor("closed", next) }),
  });
}

/** A reserve is between its seller and the house, also when the auction is over. */
function redact(auction: CompletedAuction, { subject }: Credential): CompletedAuction {
  if (subject === undefined || subject === auction.sellerId) return auction;
  const { reserve: _, ...rest } = auction;
  return rest;
}

/** `GET /v1/auctions/totals`: finished auctions per category, currency and day, the earliest day first. */
export async function getAuctionTotals(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  const { cursor, category, currency, from, to, limit } = readParameters(
    totalsParameters,
    context.req.queries(),
  );
  const { totals, next } = await listTotals(services.database, {
    limit,
    ...(category === undefined ? {} : { category }),
    ...(currency === undefined ? {} : { currency }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(cursor === undefined ? {} : { after: totalsPlace(decodeCursor("day", cursor)) }),
  });
  return Response.json({
    totals: totals.map(describeTotals),
    ...(next === undefined ? {} : { next: encodeCursor("day", cursorPlace(next)) }),
  });
}

/** A day has several totals: their category and currency are what an item's id is in other lists. */
function cursorPlace({ day, category, currency }: TotalsPlace): Place {
  return { key: day, itemId: `${category} ${currency}` };
}

function totalsPlace({ key, itemId }: Place): TotalsPlace {
  const [category = "", currency = ""] = itemId.split(" ");
  return { day: key, category, currency };
}

function describeTotals({ day, grossValue, ...totals }: DayTotals) {
  return {
    day: formatTimestamp(day * 86_400_000).slice(0, 10),
    ...totals,
    grossValue: toRawNumber(grossValue),
    averagePrice: averageOf(grossValue, totals.sold),
  };
}
