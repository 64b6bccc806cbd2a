import { redriveAnswer } from "../answers.ts";
import type { Call, Command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { counted } from "../format.ts";
import { groupPath, isSet } from "../read.ts";

export const redrive: Command = {
  name: "redrive",
  summary: "Takes dead letters back, to be called again",
  parameters: "<group> (<id>... | --all)",
  least: 1,
  most: 501,
  options: { all: { type: "boolean" } },
  help: `By the ids that dead-letters lists, or all of them; from their first attempt on,
and of each key in the order of the log. What the log has deleted cannot be
taken back, nor what its function has no room for: it stays, and the exit code
is 1.
  --all             all of the group`,
  async run(call) {
    const ids = call.parameters.slice(1);
    if (isSet(call, "all") === ids.length > 0) throw new UsageError("Name the dead letters, or say --all");
    const path = `${groupPath(call)}/dead-letters/redrive`;
    const { left, redriven } =
      ids.length > 0 ? await redriveIds(call, path, ids) : await redriveAll(call, path);
    // Of those that were named, or of all.
    const kept = ids.length > 0 ? new Set(ids).size - redriven : left;
    const rest = kept === 0 ? "" : ` ${counted(kept, "record")} could not be taken back.`;
    return {
      text: `${counted(redriven, "dead letter")} redriven.${rest}\n`,
      json: { redriven, left },
      hasFailed: kept > 0,
    };
  },
};

function redriveIds({ gateway }: Call, path: string, ids: readonly string[]) {
  return gateway.request(redriveAnswer, "POST", path, { ids });
}

/** One request takes back as many as fit; the rest follows, as long as there is progress. */
async function redriveAll({ gateway }: Call, path: string) {
  let redriven = 0;
  for (;;) {
    const answer = await gateway.request(redriveAnswer, "POST", path, { all: true });
    redriven += answer.redriven;
    if (answer.redriven === 0 || answer.left === 0) return { redriven, left: answer.left };
  }
}
