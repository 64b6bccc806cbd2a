import type { TopicRole } from "../../src/topics.ts";
import type { TopicRequirement } from "./topic-requirement.ts";

/** What a topic of the topology is to the bridge; one that Gavel knows nothing of is as free as an output. */
export function requiredRole(role: TopicRole | null): TopicRequirement["role"] {
  if (role === "journal") return "journal";
  return role === "items" ? "source" : "output";
}
