import type { ItemView } from "../../durable-objects/rpc.ts";
import type { Credential } from "../ingest/authenticate.ts";
import { partitionFor } from "../kafka/partitioner.ts";
import { decodeCursor, encodeCursor } from "../lib/cursor.ts";
import { Problem } from "../lib/problem.ts";
import type { Services } from "../services.ts";
import { writtenTopics } from "../topics.ts";
import { mergeItems } from "./merge-items.ts";
import { admit, type AppContext } from "./operation.ts";
import { bidsParameters, itemParameters, listParameters, readItemId, readParameters } from "./parameters.ts";

/** Longest wait for the record that `after` names, in milliseconds. */
const longestAfterMs = 2000;

/** `GET /v1/items/{itemId}?after=`. */
export async function getItem(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "read");
  const itemId = readItemId(context.req.param("itemId"));
  const parameters = readParameters(itemParameters, context.req.queries());
  const partition = partitionFor(itemId, services.config.partitionCount);
  const after =
    parameters.after === undefined ? undefined : readCoordinates(services, parameters.after, partition);
  const query = after === undefined ? { itemId, waitMs: 0 } : { itemId, after, waitMs: longestAfterMs };
  const answer = await services.partitions.call(partition, (object) => object.readItem(query));
  if (answer.kind === "item") return context.json(redact(answer.item, credential));
  if (answer.kind === "unknown") throw unknownItem();
  throw new Problem("not-yet-applied", `The record has not taken effect within ${longestAfterMs} ms`);
}

/** `GET /v1/items/{itemId}/bids?limit&before`. */
export async function getBids(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  const itemId = readItemId(context.req.param("itemId"));
  const { limit, before } = readParameters(bidsParameters, context.req.queries());
  const partition = partitionFor(itemId, services.config.partitionCount);
  const query = before === undefined ? { itemId, limit } : { itemId, limit, before };
  const page = await services.partitions.call(partition, (object) => object.readBids(query));
  if (page === null) throw unknownItem();
  return context.json(page);
}

/** `GET /v1/items`: every partition is asked for the page, and what comes first of all is answered. */
export async function listItems(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "read");
  const { cursor, ...filter } = readParameters(listParameters, context.req.queries());
  const { sort, limit, category, seller, endsBefore } = filter;
  const query = {
    sort,
    limit,
    ...(category === undefined ? {} : { category }),
    ...(seller === undefined ? {} : { seller }),
    ...(endsBefore === undefined ? {} : { endsBefore }),
    ...(cursor === undefined ? {} : { from: decodeCursor(sort, cursor) }),
  };
  const pages = await services.partitions.callAll((object) => object.listItems(query));
  const { entries, next } = mergeItems(pages, sort, limit);
  const items = entries.map(({ view }) => redact(view, credential));
  return context.json(next === undefined ? { items } : { items, next: encodeCursor(sort, next) });
}

/** A reserve is between its seller and the house: a bound credential sees its own items' alone. */
function redact(view: ItemView, { subject }: Credential): ItemView {
  if (subject === undefined || subject === view.item.sellerId) return view;
  const { reserve: _, ...item } = view.item;
  return { ...view, item };
}

/** `{topic}:{partition}:{offset}` as a `202` told them. @throws {Problem} `invalid-parameter`. */
function readCoordinates({ config }: Services, after: string, itemPartition: number) {
  const [, name, partition, offset] = /^([A-Za-z0-9._-]{1,249}):(\d{1,9}):(\d{1,16})$/.exec(after) ?? [];
  const names = writtenTopics(config.topicPrefix);
  const topic = name === names.items ? "items" : name === names.journal ? "journal" : undefined;
  if (topic === undefined || Number(partition) !== itemPartition || !Number.isSafeInteger(Number(offset))) {
    throw new Problem(
      "invalid-parameter",
      "after: must be the topic:partition:offset of a record of this item",
    );
  }
  return { topic, offset: Number(offset) } as const;
}

function unknownItem(): Problem {
  return new Problem("unknown-item", "There is no such item, or it finished long ago");
}
