import { validateNothing } from "../../groups/operations.ts";
import { parkedBody } from "../../groups/view.ts";
import { decodeCursor, encodeCursor } from "../../lib/cursor.ts";
import { Problem } from "../../lib/problem.ts";
import type { AppContext } from "../operation.ts";
import { parkedParameters, readParameters } from "../parameters.ts";
import { audited } from "../audit.ts";
import { readOperation } from "./body.ts";
import { admitToPartition } from "./place.ts";

/** Of a key in an audit line; a key of Gavel's own has at most 64. */
const longestKey = 256;

/** `GET /v1/groups/{group}/partitions/{partition}/parked?limit&cursor`: each function's in offset order. */
export async function getParked(context: AppContext): Promise<Response> {
  const { group, partition, objects } = await admitToPartition(context);
  const { limit, cursor } = readParameters(parkedParameters, context.req.queries());
  const place = cursor === undefined ? undefined : decodeCursor("parked", cursor);
  const after = place === undefined ? undefined : { function: place.itemId, offset: place.key };
  const parked = await objects.call(partition, (object) => object.parked(limit, after));
  const last = parked.at(-1);
  const next =
    last === undefined || parked.length < limit
      ? {}
      : { next: encodeCursor("parked", { key: last.offset, itemId: last.function }) };
  return Response.json({ group, partition, parked: parked.map(parkedBody), ...next });
}

/** `POST …/parked/{key}/retry`: what is parked of a key is called as soon as may be. */
export function postRetry(context: AppContext): Promise<Response> {
  return ofKey(context, "retry");
}

/** `POST …/parked/{key}/skip`: what is parked of a key ends as dead letters. */
export function postSkip(context: AppContext): Promise<Response> {
  return ofKey(context, "skip");
}

async function ofKey(context: AppContext, operation: "retry" | "skip"): Promise<Response> {
  const { services, group, partition, objects } = await admitToPartition(context);
  await readOperation(context, services, validateNothing);
  const key = context.req.param("key") ?? "";
  const action = operation === "retry" ? "parked.retried" : "parked.skipped";
  const records = await audited(
    context,
    services,
    { action, group, partition, key: key.slice(0, longestKey) },
    () =>
      objects.change(partition, (object) =>
        operation === "retry" ? object.retryParked(key) : object.skipParked(key),
      ),
    (count) => (count === 0 ? null : { records: count }),
  );
  if (records === 0)
    throw new Problem("not-found", "Nothing of this key is parked that no call is under way for");
  return Response.json({ group, partition, key, records });
}
