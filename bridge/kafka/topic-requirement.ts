/** What the bridge asks of a topic before it writes there. */
export interface TopicRequirement {
  readonly partitions: number;
  /**
   * - `journal`: what state is rebuilt from: nothing in it may be compacted away.
   * - `source`: what the journal is made from.
   * - `output`: what is derived, and may go sooner.
   */
  readonly role: "journal" | "source" | "output";
}

/** What the cluster says of a topic. */
export interface TopicState {
  readonly partitions: number;
  /** Of `kafka-configs.sh --describe --all`, by name; undefined where they cannot be read. */
  readonly settings: ReadonlyMap<string, string> | undefined;
}

const DAY_MS = 86_400_000;

/** What is wrong with a topic, in plain sentences; none where all is well. */
export function problemsOf(
  name: string,
  { partitions, role }: TopicRequirement,
  state: TopicState | undefined,
  keepMs: number,
): string[] {
  if (state === undefined) return [`Topic ${name} does not exist.`];
  const problems: string[] = [];
  if (state.partitions !== partitions) {
    problems.push(`Topic ${name} has ${state.partitions} partitions, not ${partitions}.`);
  }
  const { settings } = state;
  if (settings === undefined) {
    problems.push(`The settings of topic ${name} cannot be read: the bridge needs DescribeConfigs on it.`);
    return problems;
  }
  if (settings.get("message.timestamp.type") === "LogAppendTime") {
    problems.push(
      `Topic ${name} has message.timestamp.type=LogAppendTime: an event's time would be lost. Set CreateTime.`,
    );
  }
  if (role === "output") return problems;
  if (role === "journal" && (settings.get("cleanup.policy") ?? "").split(",").includes("compact")) {
    problems.push(
      `Topic ${name} has cleanup.policy=${settings.get("cleanup.policy")}: the journal would lose bids. Set delete.`,
    );
  }
  return [...problems, ...retentionProblems(name, settings, keepMs)];
}

function retentionProblems(name: string, settings: ReadonlyMap<string, string>, keepMs: number): string[] {
  const problems: string[] = [];
  const retention = Number(settings.get("retention.ms") ?? -1);
  if (retention >= 0 && retention < keepMs) {
    problems.push(
      `Topic ${name} has retention.ms=${retention}, less than the longest auction of ${days(keepMs)} days. ` +
        `Set -1, or ${keepMs} at least.`,
    );
  }
  const bytes = Number(settings.get("retention.bytes") ?? -1);
  if (bytes >= 0) {
    problems.push(
      `Topic ${name} has retention.bytes=${bytes}: records may go before an auction ends. Set -1.`,
    );
  }
  return problems;
}

function days(milliseconds: number): number {
  return Math.ceil(milliseconds / DAY_MS);
}

/** The settings that a topic is made with. */
export function settingsOf(minInsyncReplicas: number): Record<string, string> {
  return {
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    // A record of the bridge's greatest size, 1 MiB, with what Kafka adds to it.
    "max.message.bytes": "1100000",
    "min.insync.replicas": String(minInsyncReplicas),
    // Kafka counts by the records' own times, which are those of events: a backfill's are old.
    "retention.ms": "-1",
    "retention.bytes": "-1",
  };
}

/** The commands that make a topic as the bridge would. */
export function creationCommand(
  name: string,
  { partitions }: TopicRequirement,
  bootstrap: string,
  replication: number,
): string {
  const settings = Object.entries(settingsOf(Math.max(1, replication - 1)));
  const flags = settings.map(([key, value]) => ` --config ${key}=${value}`).join("");
  return (
    `kafka-topics.sh --bootstrap-server ${bootstrap} --create --topic ${name} ` +
    `--partitions ${partitions} --replication-factor ${replication}${flags}`
  );
}
