import { type TopicRole, topics as topology } from "../../src/topics.ts";
import { isTopicName } from "../topic-name.ts";
import type { Sources } from "./sources.ts";

/** A topic to serve. */
export interface TopicSetting {
  readonly name: string;
  readonly partitions: number;
  /** What it is to Gavel; null for a topic that Gavel knows nothing of. */
  readonly role: TopicRole | null;
}

/** The topics that are named, or else those of Gavel's topology. @throws {Error} with a plain sentence. */
export function readTopics(from: Sources): readonly TopicSetting[] {
  const partitions = from.integer("partitions", 1, 1024);
  if (!from.given("topics")) {
    const prefix = from.text("topic-prefix") ?? "";
    return Object.entries(topology).map(([role, name]) => ({
      name: topicName(prefix + name),
      partitions,
      role: role as TopicRole,
    }));
  }
  if (from.given("topic-prefix")) throw new Error("Give --topics or --topic-prefix, not both.");
  const names = from.list("topics");
  return names.map((name) => ({ name: topicName(name), partitions, role: null }));
}

function topicName(name: string): string {
  if (isTopicName(name)) return name;
  throw new Error(`"${name}" is not a topic's name.`);
}
