import { parkedAnswer, partitionAnswer } from "../answers.ts";
import type { Call, Command } from "../command.ts";
import { distance, duration } from "../format.ts";
import { option, partitionPath, wholeNumber } from "../read.ts";
import { printable, table } from "../table.ts";

const columns = [
  { title: "KEY", isCut: "late" },
  { title: "OFFSET", isNumber: true },
  { title: "TRIES", isNumber: true },
  { title: "NEXT" },
  { title: "FUNCTION", isCut: "early" },
  { title: "ERROR", isCut: "late" },
] as const;

export const parked: Command = {
  name: "parked",
  summary: "Lists what waits for a retry, with its key and its error",
  parameters: "<group> <partition>",
  least: 2,
  most: 2,
  options: { limit: { type: "string" }, cursor: { type: "string" } },
  help: `A record without an error waits behind another one of its key.
  --limit <n>       so many at most, up to 500 (100)
  --cursor <text>   goes on where an answer has told to`,
  async run(call) {
    const query = new URLSearchParams();
    const limit = option(call, "limit");
    const cursor = option(call, "cursor");
    if (limit !== undefined) query.set("limit", String(wholeNumber("--limit", limit)));
    if (cursor !== undefined) query.set("cursor", cursor);
    const path = `${partitionPath(call)}/parked?${query.toString()}`;
    const answer = await call.gateway.request(parkedAnswer, "GET", path);
    if (answer.parked.length === 0) return { text: "Nothing is parked.\n", json: answer };
    const rows = answer.parked.map((one) => [
      one.key,
      String(one.offset),
      String(one.attempts),
      distance(one.nextAttemptAt, call.now) || "at once",
      one.function,
      one.error,
    ]);
    const more = answer.next === undefined ? "" : `\nMore: --cursor ${answer.next}\n`;
    return { text: table(columns, rows, call.width) + more + (await whyNothingIsCalled(call)), json: answer };
  },
};

/** What holds up records beyond their own errors; nothing where the partition does not tell. */
async function whyNothingIsCalled(call: Call): Promise<string> {
  const { body } = await call.gateway.ask("GET", partitionPath(call));
  const partition = partitionAnswer.safeParse(body).data;
  if (partition === undefined) return "";
  const reasons = partition.functions.flatMap(({ circuit, name }) =>
    circuit === undefined
      ? []
      : [
          `Nothing is called of ${name}, whose calls fail (${circuit.reason}); it is tried ${circuit.probeAt > call.now ? `in ${duration(circuit.probeAt - call.now)}` : "now"}`,
        ],
  );
  if (partition.paused) reasons.unshift("The partition is paused: nothing is called until it is resumed");
  return reasons.map((reason) => `\n${printable(reason)}.\n`).join("");
}
