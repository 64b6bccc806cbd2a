import { groupsAnswer, type PartitionAnswer, partitionsAnswer } from "../answers.ts";
import type { Call, Command } from "../command.ts";
import { count, duration } from "../format.ts";
import { printable, table } from "../table.ts";

const columns = [
  { title: "GROUP" },
  { title: "NO", isNumber: true },
  { title: "TOPIC", isCut: "late" },
  { title: "POSITION", isNumber: true },
  { title: "END", isNumber: true },
  { title: "LAG", isNumber: true },
  { title: "BEHIND", isNumber: true },
  { title: "PARKED", isNumber: true },
  { title: "DEAD", isNumber: true },
] as const;

export const lag: Command = {
  name: "lag",
  summary: "Tells how far each partition is, and what holds it up",
  parameters: "[<group>]",
  least: 0,
  most: 1,
  help: `LAG is in records, BEHIND the age of the last record that was read while others
wait. PARKED records wait for a retry, DEAD ones have ended as dead letters
since the beginning. STATE is paused or stalled, where any is; why, is told
below. "?" is what the log does not say.`,
  async run(call) {
    const answers = await partitionsOf(call);
    const partitions = answers.flatMap((answer) => answer.partitions);
    // Left out where all is well, so that the rest has its room.
    const states = partitions.some((one) => stateOf(one) !== "") ? [{ title: "STATE" }] : [];
    const rows = partitions.flatMap(rowsOf);
    const text = table([...columns, ...states], rows, call.width) + reasonsOf(partitions);
    return { text, json: call.parameters[0] === undefined ? answers : answers[0] };
  },
};

/** Of the group that was named, or of all. */
async function partitionsOf({ gateway, parameters }: Call) {
  const [named] = parameters;
  const names =
    named === undefined
      ? (await gateway.request(groupsAnswer, "GET", "/v1/groups")).groups.map(({ group }) => group)
      : [named];
  return Promise.all(
    names.map((name) =>
      gateway.request(partitionsAnswer, "GET", `/v1/groups/${encodeURIComponent(name)}/partitions`),
    ),
  );
}

function stateOf({ paused, stalled }: PartitionAnswer): string {
  if (stalled !== undefined) return "stalled";
  return paused ? "paused" : "";
}

/** A row for each topic; what is of the whole partition stands in the first. */
function rowsOf(one: PartitionAnswer): string[][] {
  const { deadLettered, group, parked, partition, topics } = one;
  return topics.map(({ endOffset, lag: records, lagMs, position, topic }, index) => [
    ...(index === 0 ? [group, String(partition)] : ["", ""]),
    topic,
    String(position),
    count(endOffset),
    count(records),
    lagMs === null ? "?" : lagMs === 0 ? "" : duration(lagMs),
    ...(index === 0 ? [String(parked), String(deadLettered), stateOf(one)] : ["", "", ""]),
  ]);
}

function reasonsOf(partitions: readonly PartitionAnswer[]): string {
  return partitions
    .flatMap(({ group, partition, stalled }) =>
      stalled === undefined ? [] : [`\n${group}/${partition} does not move: ${printable(stalled)}\n`],
    )
    .join("");
}
