import { keyAnswer } from "../answers.ts";
import type { Command } from "../command.ts";
import { counted } from "../format.ts";
import { keySegment, partitionPath } from "../read.ts";
import { printable } from "../table.ts";

export const retry = ofKey("retry", {
  summary: "Has what is parked of a key called as soon as may be",
  help: "The attempts that were made count on.",
  done: (records, key) => `${counted(records, "record")} of ${key} will be called at once.\n`,
});

export const skip = ofKey("skip", {
  summary: "Ends what is parked of a key as dead letters",
  help: "So the key goes on. A dead letter can be redriven later.",
  done: (records, key) => `${counted(records, "record")} of ${key} ended as dead letters.\n`,
});

interface Told {
  readonly summary: string;
  readonly help: string;
  readonly done: (records: number, key: string) => string;
}

function ofKey(name: "retry" | "skip", { done, help, summary }: Told): Command {
  return {
    name,
    summary,
    parameters: "<group> <partition> <key>",
    least: 3,
    most: 3,
    help: `${help}
The empty key, "", is that of records without one; a key that begins with a
hyphen goes behind --.`,
    async run(call) {
      const key = keySegment(call.parameters[2] ?? "");
      const path = `${partitionPath(call)}/parked/${key}/${name}`;
      const answer = await call.gateway.request(keyAnswer, "POST", path);
      return { text: done(answer.records, printable(answer.key)), json: answer };
    },
  };
}
