import { validateNothing } from "../../groups/operations.ts";
import type { AppContext } from "../operation.ts";
import { audited } from "../audit.ts";
import { readOperation } from "./body.ts";
import { admitToPartition } from "./place.ts";

/** `POST /v1/groups/{group}/partitions/{partition}/pause`: calls under way end, and nothing else is called or read. */
export function postPause(context: AppContext): Promise<Response> {
  return setPaused(context, true);
}

/** `POST /v1/groups/{group}/partitions/{partition}/resume`. */
export function postResume(context: AppContext): Promise<Response> {
  return setPaused(context, false);
}

async function setPaused(context: AppContext, isPaused: boolean): Promise<Response> {
  const { services, group, partition, objects } = await admitToPartition(context);
  await readOperation(context, services, validateNothing);
  const entry = { action: isPaused ? "partition.paused" : "partition.resumed", group, partition };
  await audited(context, services, entry, () =>
    objects.call(partition, (object) => object.setPaused(isPaused)),
  );
  return Response.json({ group, partition, paused: isPaused });
}
