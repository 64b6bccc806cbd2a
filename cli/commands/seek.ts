import { seekAnswer } from "../answers.ts";
import type { Command } from "../command.ts";
import { isSet, parameter, partitionPath, wholeNumber } from "../read.ts";
import { printable } from "../table.ts";

export const seek: Command = {
  name: "seek",
  summary: "Has a partition begin again at an offset",
  parameters: "<group> <partition> <offset>",
  least: 3,
  most: 3,
  options: { skip: { type: "boolean" }, wipe: { type: "boolean" } },
  help: `Back: what lies behind the offset is delivered again, under the ids that it had.
Forward: refused while records before it are not finished, unless it is meant.
Group auction keeps state: it begins again at 0 alone, with its state wiped and
made again from the log; what it sent is not sent again.
  --skip            leaves out what is not finished, or what the log has deleted
  --wipe            of group auction: wipes the state`,
  async run(call) {
    const body = {
      offset: wholeNumber("The offset", parameter(call, 2)),
      ...(isSet(call, "skip") ? { skip: true } : {}),
      ...(isSet(call, "wipe") ? { wipe: true } : {}),
    };
    const answer = await call.gateway.request(seekAnswer, "POST", `${partitionPath(call)}/seek`, body);
    const { from, group, note, partition, to } = answer;
    const begins = to > from ? "goes on" : "begins again";
    return {
      text: `${group}/${partition} ${begins} at ${to}; it was at ${from}.\n${printable(note)}\n`,
      json: answer,
    };
  },
};
