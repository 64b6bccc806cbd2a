import { getAnalyses, getAnalysisOf } from "./analyses.ts";
import { getAuctions, getAuctionTotals } from "./auctions.ts";
import { getBidderBids } from "./bidders.ts";
import { getAsyncApi, getDocs, getDocsFile, getOpenApi } from "./documents.ts";
import { getDeadLetters, postRedrive } from "./groups/dead-letters.ts";
import { getParked, postRetry, postSkip } from "./groups/parked.ts";
import { postPause, postResume } from "./groups/pause.ts";
import { postSeek } from "./groups/seek.ts";
import { getGroups, getPartition, getPartitions } from "./groups/status.ts";
import { getHealth, getReadiness } from "./health.ts";
import { getBids, getItem, listItems } from "./items.ts";
import { deleteKey, getKeyOf, getKeys, postKey } from "./keys.ts";
import { getLineage } from "./lineage.ts";
import { getLive, postTicket } from "./live.ts";
import { getMetrics } from "./metrics.ts";
import { type AppContext, openToAll } from "./operation.ts";
import { deleteProfileOf, getProfileOf, putProfileOf } from "./profiles.ts";
import { deleteReplay, getReplay, listReplays, postReplay } from "./replays.ts";
import { getCategories, getCells, getWindows } from "./stats.ts";
import {
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  postEnable,
  postSecret,
  postSubscription,
} from "./subscriptions.ts";
import { postBids, postEvents, postItems, postWithdrawal } from "./write.ts";

export type Handler = (context: AppContext) => Response | Promise<Response>;
type Methods = Partial<Record<"GET" | "POST" | "PUT" | "DELETE", Handler>>;

/** What a path answers where it is no JSON, without parameters. */
export const answers: Readonly<Record<string, readonly string[]>> = {
  "/metrics": ["text/plain"],
  "/docs": ["text/html"],
  "/docs/:file": ["text/css", "text/javascript", "text/plain", "image/png"],
  "/v1/live": ["text/event-stream"],
};

/** Every path with its methods. HEAD goes where GET goes, without the body. */
export const routes: Readonly<Record<string, Methods>> = {
  "/v1/items": { GET: listItems, POST: postItems },
  "/v1/items/:itemId": { GET: getItem },
  "/v1/items/:itemId/bids": { GET: getBids },
  "/v1/items/:itemId/withdraw": { POST: postWithdrawal },
  "/v1/bids": { POST: postBids },
  "/v1/events": { POST: postEvents },
  "/v1/bidders/:bidderId/bids": { GET: getBidderBids },
  "/v1/events/:id/lineage": { GET: getLineage },
  "/v1/stats/categories": { GET: getCategories },
  "/v1/stats/windows": { GET: getWindows },
  "/v1/stats/cells": { GET: getCells },
  "/v1/groups": { GET: getGroups },
  "/v1/groups/:group/partitions": { GET: getPartitions },
  "/v1/groups/:group/partitions/:partition": { GET: getPartition },
  "/v1/groups/:group/partitions/:partition/pause": { POST: postPause },
  "/v1/groups/:group/partitions/:partition/resume": { POST: postResume },
  "/v1/groups/:group/partitions/:partition/seek": { POST: postSeek },
  "/v1/groups/:group/partitions/:partition/parked": { GET: getParked },
  "/v1/groups/:group/partitions/:partition/parked/:key/retry": { POST: postRetry },
  "/v1/groups/:group/partitions/:partition/parked/:key/skip": { POST: postSkip },
  // Records without a key have the empty one.
  "/v1/groups/:group/partitions/:partition/parked//retry": { POST: postRetry },
  "/v1/groups/:group/partitions/:partition/parked//skip": { POST: postSkip },
  "/v1/groups/:group/dead-letters": { GET: getDeadLetters },
  "/v1/groups/:group/dead-letters/redrive": { POST: postRedrive },
  "/v1/replays": { GET: listReplays, POST: postReplay },
  "/v1/replays/:id": { GET: getReplay, DELETE: deleteReplay },
  "/v1/subscriptions": { GET: listSubscriptions, POST: postSubscription },
  "/v1/subscriptions/:id": { GET: getSubscription, DELETE: deleteSubscription },
  "/v1/subscriptions/:id/secrets": { POST: postSecret },
  "/v1/subscriptions/:id/enable": { POST: postEnable },
  "/v1/live": { GET: getLive },
  "/v1/live/tickets": { POST: postTicket },
  "/v1/auctions": { GET: getAuctions },
  "/v1/auctions/totals": { GET: getAuctionTotals },
  "/v1/analyses": { GET: getAnalyses },
  "/v1/analyses/:id": { GET: getAnalysisOf },
  "/v1/keys": { GET: getKeys, POST: postKey },
  "/v1/keys/:keyId": { GET: getKeyOf, DELETE: deleteKey },
  "/v1/profiles/:profileId": { GET: getProfileOf, PUT: putProfileOf, DELETE: deleteProfileOf },
  "/healthz": { GET: getHealth },
  "/readyz": { GET: openToAll(getReadiness) },
  "/metrics": { GET: getMetrics },
  "/openapi.json": { GET: openToAll(getOpenApi) },
  "/asyncapi.json": { GET: openToAll(getAsyncApi) },
  "/docs": { GET: openToAll(getDocs) },
  "/docs/:file": { GET: openToAll(getDocsFile) },
};
