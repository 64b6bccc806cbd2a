import {
  groupsAnswer,
  isSilent,
  type PartitionAnswer,
  partitionsAnswer,
  type SilentAnswer,
} from "../answers.ts";
import type { Call, Command } from "../command.ts";
import { count, counted, duration } from "../format.ts";
import { printable, table } from "../table.ts";

type Told = PartitionAnswer | SilentAnswer;

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
  help: `LAG is in records, BEHIND the age of the oldest one that is not read yet. PARKED
records wait for a retry, DEAD ones have ended as dead letters since the
beginning. STATE is paused or stalled, where any is; why, is told below, and
which functions are behind their group. "?" is what is not known.`,
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

function stateOf({ paused, stalled }: Told): string {
  if (stalled !== undefined) return "stalled";
  return paused === true ? "paused" : "";
}

/** A row for each topic; what is of the whole partition stands in the first. */
function rowsOf(one: Told): string[][] {
  if (isSilent(one)) {
    const unknown = Array.from({ length: 6 }, () => "?");
    return [[one.group, String(one.partition), "?", ...unknown, stateOf(one)]];
  }
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

function reasonsOf(partitions: readonly Told[]): string {
  return partitions
    .flatMap((one) =>
      [
        ...(one.stalled === undefined
          ? []
          : [isSilent(one) ? one.stalled : `It does not move: ${one.stalled}`]),
        ...(isSilent(one) ? [] : functionsBehind(one)),
      ].map((reason) => `\n${one.group}/${one.partition}: ${printable(reason)}\n`),
    )
    .join("");
}

/** Functions that were left behind and read on by themselves: the group's lag does not tell of them. */
export function functionsBehind({ functions, topics }: PartitionAnswer): string[] {
  const [read] = topics;
  if (read === undefined) return [];
  const { endOffset, position } = read;
  return functions
    .filter(({ next }) => next < position)
    .map(({ name, next }) => {
      const records = endOffset === null ? "records" : counted(endOffset - next, "record");
      return `${name} is behind the group, with ${records} to read from ${next} on`;
    });
}
