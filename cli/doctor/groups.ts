import { groupsAnswer, type PartitionAnswer, partitionsAnswer } from "../answers.ts";
import { count, counted, duration } from "../format.ts";
import type { Gateway } from "../gateway.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

/** Waiting for so long is no burst any more: the sweep comes every minute. */
const longestLagMs = 120_000;

/** How far every group is, and what holds it up. */
export async function checkGroups(gateway: Gateway): Promise<Finding[]> {
  const { groups } = await gateway.request(groupsAnswer, "GET", "/v1/groups");
  const findings = await Promise.all(
    groups.map(async ({ group }) => {
      const path = `/v1/groups/${encodeURIComponent(group)}/partitions`;
      const { partitions } = await gateway.request(partitionsAnswer, "GET", path);
      const found = partitions.flatMap(checkPartition);
      const isWell = found.every(({ level }) => level !== "wrong");
      return [
        ...(isWell ? [ok(group, `${counted(partitions.length, "partition")}, nothing holds them up`)] : []),
        ...found,
      ];
    }),
  );
  return findings.flat();
}

export function checkPartition(partition: PartitionAnswer): Finding[] {
  const { group, lostOffsets, parked, paused, partition: number, stalled } = partition;
  const about = `${group}/${number}`;
  const see = `npm run gavel -- parked ${group} ${number}`;
  const findings: Finding[] = [];
  if (stalled !== undefined)
    findings.push(wrong(about, `It does not move: ${stalled}`, adviceForStall(partition)));
  if (paused) findings.push(note(about, "It is paused", `npm run gavel -- resume ${group} ${number}`));
  else findings.push(...checkLag(partition));
  if (parked > 0) findings.push(note(about, `${counted(parked, "record")} wait for a retry`, see));
  if (lostOffsets > 0)
    findings.push(
      note(
        about,
        `The log deleted ${counted(lostOffsets, "offset")} before they were read`,
        "Raise retention.ms of its topics",
      ),
    );
  for (const { circuit, name } of partition.functions) {
    if (circuit === undefined) continue;
    findings.push(
      wrong(
        about,
        `Calls of ${name} fail: ${circuit.reason}`,
        "It is tried again by itself; see to its endpoint",
      ),
    );
  }
  return [...findings, ...checkRetention(partition)];
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
    const behind = `${counted(lag, "record")} of ${topic} wait${lag === 1 ? "s" : ""}`;
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

function adviceForStall({ group, functions, partition }: PartitionAnswer): string {
  if (functions.some(({ full }) => full?.includes("disabled") === true))
    return "npm run gavel -- subscriptions list, and enable it when its endpoint is well";
  if (functions.some(({ full }) => full !== undefined))
    return `See to the endpoint, or skip what is parked: npm run gavel -- parked ${group} ${partition}`;
  return "It is tried again by itself; where it stays so, look at the log and the Worker's log";
}
