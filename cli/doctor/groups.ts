import {
  groupsAnswer,
  isSilent,
  type PartitionAnswer,
  partitionsAnswer,
  type SilentAnswer,
} from "../answers.ts";
import { functionsBehind } from "../commands/lag.ts";
import { count, counted, countedDo, duration } from "../format.ts";
import type { Gateway } from "../gateway.ts";
import { attempt, type Finding, note, ok, wrong } from "./finding.ts";

type Told = PartitionAnswer | SilentAnswer;

/** Waiting for so long is no burst any more: the sweep comes every minute. */
const longestLagMs = 120_000;

/**
 * How far every group is, and what holds it up.
 * @param isLogWell otherwise what follows from it for every partition is left out
 */
export async function checkGroups(gateway: Gateway, isLogWell: boolean): Promise<Finding[]> {
  const { groups } = await gateway.request(groupsAnswer, "GET", "/v1/groups");
  const findings = await Promise.all(
    groups.map(({ group }) => attempt(group, () => checkGroup(gateway, group, isLogWell))),
  );
  const left = "What a log that is wrong holds up is left out here";
  return [
    ...(isLogWell ? [] : [note("groups", left, "Mend the log, and ask the doctor again")]),
    ...findings.flat(),
  ];
}

async function checkGroup(gateway: Gateway, group: string, isLogWell: boolean): Promise<Finding[]> {
  const path = `/v1/groups/${encodeURIComponent(group)}/partitions`;
  const { partitions } = await gateway.request(partitionsAnswer, "GET", path);
  const found = partitions.flatMap((partition) => checkPartition(partition, isLogWell));
  const isWell = isLogWell && found.every(({ level }) => level !== "wrong");
  return [
    ...(isWell ? [ok(group, `${counted(partitions.length, "partition")}, nothing holds them up`)] : []),
    ...found,
    ...(group === "auction" && isLogWell ? checkJournal(partitions) : []),
  ];
}

export function checkPartition(partition: Told, isLogWell: boolean): Finding[] {
  const about = `${partition.group}/${partition.partition}`;
  if (isSilent(partition)) {
    const advice = "Ask again in a minute; where it stays so, see the Worker's log: npx wrangler tail";
    return isLogWell ? [wrong(about, partition.stalled, advice)] : [];
  }
  return [
    ...(isLogWell ? checkMoving(partition) : []),
    ...checkPause(partition),
    ...checkHeld(partition),
    ...checkCalls(partition),
    ...(isLogWell ? checkRetention(partition) : []),
  ];
}

function checkMoving(partition: PartitionAnswer): Finding[] {
  const { group, paused, partition: number, stalled } = partition;
  const stall =
    stalled === undefined
      ? []
      : [wrong(`${group}/${number}`, `It does not move: ${stalled}`, adviceForStall(partition))];
  return paused ? stall : [...stall, ...checkLag(partition)];
}

function checkPause({ group, paused, partition }: PartitionAnswer): Finding[] {
  if (!paused) return [];
  return [note(`${group}/${partition}`, "It is paused", `npm run gavel -- resume ${group} ${partition}`)];
}

/** What waits, and what is gone. */
function checkHeld(partition: PartitionAnswer): Finding[] {
  const { group, lostOffsets, parked, partition: number } = partition;
  const about = `${group}/${number}`;
  const see = `npm run gavel -- parked ${group} ${number}`;
  const findings = functionsBehind(partition).map((behind) =>
    note(about, behind, "It reads on by itself as its calls end well"),
  );
  if (parked > 0) findings.push(note(about, `${countedDo(parked, "record", "wait")} for a retry`, see));
  if (lostOffsets > 0) {
    const lost = `The log deleted ${counted(lostOffsets, "offset")} before they were read`;
    findings.push(note(about, lost, "Raise retention.ms of its topics"));
  }
  return findings;
}

function checkCalls({ functions, group, partition }: PartitionAnswer): Finding[] {
  return functions.flatMap(({ circuit, name }) => {
    if (circuit === undefined) return [];
    const advice = "It is tried again by itself; see to its endpoint";
    return [wrong(`${group}/${partition}`, `Calls of ${name} fail: ${circuit.reason}`, advice)];
  });
}

function checkLag({ group, partition, topics }: PartitionAnswer): Finding[] {
  return topics.flatMap(({ endOffset, lag, lagMs, topic }) => {
    const about = `${group}/${partition}`;
    if (endOffset === null)
      return [
        wrong(
          about,
          `The log does not say where ${topic} ends`,
          "Make the topic, or let the log be read: docs/kafka.md",
        ),
      ];
    if (lag === null || lag === 0) return [];
    const behind = `${countedDo(lag, "record", "wait")} in ${topic}`;
    if (lagMs !== null && lagMs < longestLagMs) return [note(about, behind)];
    const since = lagMs === null ? "" : `, for ${duration(lagMs)}`;
    return [wrong(about, behind + since, "The sweep wakes it every minute: see that the cron trigger runs")];
  });
}

/** What the state is made of has to be there when it is made again. */
function checkRetention({ group, partition, topics }: PartitionAnswer): Finding[] {
  const [journal] = topics;
  if (group !== "auction" || journal === undefined || (journal.startOffset ?? 0) === 0) return [];
  return [
    wrong(
      `${group}/${partition}`,
      `The log has ${journal.topic} from ${count(journal.startOffset)} on alone: a rebuild would lose what was before`,
      "Set retention.ms and retention.bytes of that topic to -1",
    ),
  ];
}

/** No setting of a topic can be read from outside; what it has kept so far can. */
function checkJournal(partitions: readonly Told[]): Finding[] {
  const journals = partitions.flatMap((one) => (isSilent(one) ? [] : one.topics.slice(0, 1)));
  const [journal] = journals;
  if (journal === undefined) return [];
  const starts = [...new Set(journals.map(({ startOffset }) => count(startOffset)))];
  const begins = starts.length === 1 ? `offset ${starts[0]}` : `offsets ${starts.join(", ")}`;
  return [
    note(
      "retention",
      `${journal.topic} begins at ${begins}; whether it keeps everything is not seen from here`,
      `Its retention.ms has to be -1: kafka-configs.sh --bootstrap-server <broker> --describe --all --topic ${journal.topic}`,
    ),
  ];
}

function adviceForStall({ group, functions, partition }: PartitionAnswer): string {
  if (functions.some(({ full }) => full?.includes("disabled") === true))
    return "npm run gavel -- subscriptions list, and enable it when its endpoint is well";
  if (functions.some(({ full }) => full !== undefined))
    return `See to the endpoint, or skip what is parked: npm run gavel -- parked ${group} ${partition}`;
  return "It is tried again by itself; where it stays so, look at the log and the Worker's log";
}
