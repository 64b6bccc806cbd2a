import { partitionsAnswer, pausedAnswer } from "../answers.ts";
import type { Call, Command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { groupPath, isSet, partitionPath } from "../read.ts";

export const pause = switchTo("pause", {
  summary: "Holds a partition: nothing more is called or read",
  help: "Calls under way end. It holds until it is resumed, whatever happens to the\nobject, and the log keeps what comes meanwhile.",
});

export const resume = switchTo("resume", {
  summary: "Has a partition that was paused go on where it held",
  help: "Resuming one that is not paused changes nothing.",
});

function switchTo(name: "pause" | "resume", { summary, help }: Pick<Command, "summary" | "help">): Command {
  return {
    name,
    summary,
    parameters: "<group> (<partition> | --all)",
    least: 1,
    most: 2,
    options: { all: { type: "boolean" } },
    help: `${help}\n  --all             every partition of the group`,
    async run(call) {
      const answers = [];
      for (const path of await pathsOf(call))
        answers.push(await call.gateway.request(pausedAnswer, "POST", `${path}/${name}`));
      const lines = answers.map(({ group, partition, paused }) => {
        return `${group}/${partition} ${paused ? "is paused" : "goes on"}\n`;
      });
      return { text: lines.join(""), json: answers };
    },
  };
}

async function pathsOf(call: Call): Promise<string[]> {
  const isAll = isSet(call, "all");
  if (isAll === (call.parameters[1] !== undefined)) throw new UsageError("Name the partition, or say --all");
  if (!isAll) return [partitionPath(call)];
  const path = `${groupPath(call)}/partitions`;
  const { partitions } = await call.gateway.request(partitionsAnswer, "GET", path);
  return partitions.map(({ partition }) => `${path}/${partition}`);
}
