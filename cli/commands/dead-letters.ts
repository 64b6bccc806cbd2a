import { deadLettersAnswer } from "../answers.ts";
import type { Command } from "../command.ts";
import { distance } from "../format.ts";
import { groupPath, option, wholeNumber } from "../read.ts";
import { table } from "../table.ts";

const columns = [
  { title: "ID" },
  { title: "KEY", isCut: "late" },
  { title: "OFFSET", isNumber: true },
  { title: "TRIES", isNumber: true },
  { title: "ENDED" },
  { title: "FUNCTION", isCut: "early" },
  { title: "ERROR", isCut: "late" },
] as const;

export const deadLetters: Command = {
  name: "dead-letters",
  summary: "Lists what ended without having been done, the newest first",
  parameters: "<group>",
  least: 1,
  most: 1,
  options: { limit: { type: "string" }, partition: { type: "string" }, before: { type: "string" } },
  help: `Those that were not redriven, the newest 10,000 of each partition; all of them
are in the topic auction.dead-letters.
  --limit <n>       so many at most, up to 500 (100)
  --partition <n>   only those of one partition
  --before <id>     of one partition: those before this one`,
  async run(call) {
    const query = new URLSearchParams();
    for (const name of ["limit", "partition"]) {
      const text = option(call, name);
      if (text !== undefined) query.set(name, String(wholeNumber(`--${name}`, text)));
    }
    const before = option(call, "before");
    if (before !== undefined) query.set("before", before);
    const path = `${groupPath(call)}/dead-letters?${query.toString()}`;
    const answer = await call.gateway.request(deadLettersAnswer, "GET", path);
    if (answer.deadLetters.length === 0) return { text: "There are no dead letters.\n", json: answer };
    const rows = answer.deadLetters.map((one) => [
      one.id,
      one.key,
      String(one.offset),
      String(one.attempts),
      distance(one.endedAt, call.now),
      one.function,
      one.error,
    ]);
    const more = answer.next === undefined ? "" : `\nMore: --before ${answer.next}\n`;
    return { text: table(columns, rows, call.width) + more, json: answer };
  },
};
