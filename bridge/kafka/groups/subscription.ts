import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolSubscription,
} from "@platformatic/kafka";
import type { InstanceSettings, TopicAssignment } from "../../groups.ts";
import type { Subscription } from "../../groups/coordinator.ts";

/** Of Kafka's consumer protocol: the first with a place for what a member has, which is unused. */
const VERSION = 1;

/** A member's subscription, with the settings as its user data: so another copy finds them. */
export function encodeSubscription({ topics, settings }: Subscription): Buffer {
  return encodeConsumerProtocolSubscription({
    version: VERSION,
    topics: [...topics],
    userData: JSON.stringify(settings),
  });
}

/** The topics of any member; none where the metadata is empty, as while a group rebalances. */
export function decodeTopics(metadata: Buffer): readonly string[] {
  return metadata.length === 0 ? [] : decodeConsumerProtocolSubscription(metadata).topics;
}

/** The subscription of an instance of a bridge; null for the member of another program. */
export function decodeSubscription(metadata: Buffer): Subscription | null {
  try {
    const { topics, userData } = decodeConsumerProtocolSubscription(metadata);
    const settings: unknown = JSON.parse(userData.toString());
    return isSettings(settings) ? { topics: [...topics].sort(), settings } : null;
  } catch {
    return null;
  }
}

export function decodeAssignment(assignment: Buffer): readonly TopicAssignment[] {
  return decodeConsumerProtocolAssignment(assignment).assignedPartitions;
}

function isSettings(value: unknown): value is InstanceSettings {
  if (typeof value !== "object" || value === null) return false;
  const { autoCommit, autoCommitIntervalMs, offsetReset, sessionTimeoutMs } = value as Readonly<
    Record<string, unknown>
  >;
  return (
    typeof autoCommit === "boolean" &&
    typeof autoCommitIntervalMs === "number" &&
    typeof sessionTimeoutMs === "number" &&
    (offsetReset === "latest" || offsetReset === "earliest" || offsetReset === "none")
  );
}
