import type { SeekAnswer } from "../../../durable-objects/functions/rpc.ts";
import type { RebuildAnswer } from "../../../durable-objects/rpc.ts";
import { validateRebuild, validateSeek } from "../../groups/operations.ts";
import { isPaused } from "../../groups/read.ts";
import { seekNote } from "../../groups/seek-note.ts";
import { Problem } from "../../lib/problem.ts";
import type { GroupName } from "../../topology.ts";
import { admit, type AppContext } from "../operation.ts";
import { audited } from "../audit.ts";
import { readOperation } from "./body.ts";
import { admitToPartition, readGroup, readPartition } from "./place.ts";

/**
 * `POST /v1/groups/{group}/partitions/{partition}/seek`: a group of functions begins again at an
 * offset, the group that keeps state at the start and on empty storage.
 */
export async function postSeek(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  return readGroup(context) === "auction" ? rebuild(context, services) : seek(context);
}

/** What a seek means for whoever reads what a group writes. */
const ofOutputs: Readonly<Partial<Record<GroupName, string>>> = {
  enrich:
    "Their events are written to auction.validated again, with the ids that they had, new sequences and " +
    "today's profiles: for whoever reads them the first record of a ce_id counts.",
};

async function seek(context: AppContext): Promise<Response> {
  const { services, group, partition, objects } = await admitToPartition(context);
  const { offset, skip } = await readOperation(context, services, validateSeek);
  const answer = await audited(
    context,
    services,
    { action: "partition.sought", group, partition, offset, skip },
    () => objects.change(partition, (object) => object.seek(offset, skip)),
    (told) => (told.kind === "done" ? { from: told.from, to: told.to } : null),
  );
  const { from, to } = requireSought(answer);
  // Where the object does not answer again in time, that is no failure of the seek.
  const isHeld = await isPaused(services, { group, partition });
  const said = seekNote({ offset, from, to, isPaused: isHeld });
  const note = [said, to <= from ? ofOutputs[group] : undefined]
    .filter((text) => text !== undefined)
    .join(" ");
  return Response.json({ group, partition, from, to, note });
}

function requireSought(answer: SeekAnswer): Extract<SeekAnswer, { readonly kind: "done" }> {
  switch (answer.kind) {
    case "done":
      return answer;
    case "busy":
      throw new Problem(
        "partition-busy",
        "Calls are under way that do not end, or another seek is; pause the partition and try again",
      );
    case "beyond":
      throw new Problem("beyond-end", `The log ends at ${answer.end}`);
    case "skips": {
      const text = `Records from ${answer.position} on are not finished and would be left out; send "skip": true if that is meant`;
      throw new Problem("would-skip", text);
    }
  }
}

async function rebuild(
  context: AppContext,
  services: Awaited<ReturnType<typeof admit>>["services"],
): Promise<Response> {
  const group = "auction";
  const partition = readPartition(context, services);
  const { offset, skip, wipe } = await readOperation(context, services, validateRebuild);
  if (offset !== 0)
    throw new Problem(
      "not-supported",
      "Group auction keeps state, which only the whole journal gives: it begins again at 0",
    );
  if (!wipe)
    throw new Problem(
      "would-wipe",
      'The partition\'s state would be wiped and made again from the log; send "wipe": true if that is meant',
    );
  const answer = await audited(
    context,
    services,
    { action: "partition.rebuilt", group, partition, skip },
    () => services.partitions.change(partition, (object) => object.rebuild(skip)),
    (told) => (told.kind === "done" ? { from: told.from } : null),
  );
  const { from } = requireRebuilt(answer);
  const note = "The state is made again from the log; outputs that are in their topics are not sent again.";
  return Response.json({ group, partition, from, to: 0, note });
}

function requireRebuilt(answer: RebuildAnswer): Extract<RebuildAnswer, { readonly kind: "done" }> {
  if (answer.kind === "done") return answer;
  if (answer.kind === "busy") throw new Problem("partition-busy", "Another rebuild came first");
  throw new Problem("would-skip", `${answer.why}; send "skip": true if it may be lost for good`);
}
