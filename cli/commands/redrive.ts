import { type RedriveAnswer, redriveAnswer } from "../answers.ts";
import type { Call, Command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { counted } from "../format.ts";
import { groupPath, isSet } from "../read.ts";
import { printable } from "../table.ts";

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
    const answer = ids.length > 0 ? await redriveIds(call, path, ids) : await redriveAll(call, path);
    const { left, partitions, redriven } = answer;
    const failures = partitions.flatMap((one) =>
      "detail" in one ? [` ${printable(String(one.detail))} (${printable(String(one.code))}).`] : [],
    );
    // Of those that were named, or of all.
    const kept = ids.length > 0 ? new Set(ids).size - redriven : left;
    const rest = kept === 0 ? "" : ` ${counted(kept, "record")} could not be taken back.`;
    return {
      text: `${counted(redriven, "dead letter")} redriven.${rest}${failures.join("")}\n`,
      json: answer,
      hasFailed: kept > 0 || failures.length > 0,
    };
  },
};

function redriveIds({ gateway }: Call, path: string, ids: readonly string[]) {
  return gateway.request(redriveAnswer, "POST", path, { ids });
}

/** One request takes back as many as fit; the rest follows, as long as there is progress. */
async function redriveAll({ gateway }: Call, path: string): Promise<RedriveAnswer> {
  let sum: RedriveAnswer | undefined;
  for (;;) {
    const answer = await gateway.request(redriveAnswer, "POST", path, { all: true });
    sum = sum === undefined ? answer : added(sum, answer);
    if (answer.redriven === 0 || answer.left === 0) return sum;
  }
}

/** Two answers as one: what both took back, and what the later one left. */
function added(sum: RedriveAnswer, answer: RedriveAnswer): RedriveAnswer {
  const before = new Map(sum.partitions.map((one) => [one.partition, one]));
  const partitions = answer.partitions.map((one) => {
    const earlier = before.get(one.partition);
    const isCounted = "redriven" in one && earlier !== undefined && "redriven" in earlier;
    return isCounted ? { ...one, redriven: Number(one.redriven) + Number(earlier.redriven) } : one;
  });
  return { ...answer, redriven: sum.redriven + answer.redriven, partitions };
}
