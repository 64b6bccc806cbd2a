import { analytics } from "./functions/analytics/function.ts";
import { type DeclaredFunction, declareFunction } from "./functions/declare.ts";
import { enrich } from "./functions/enrich/function.ts";
import { marketAnalysis, participation } from "./functions/market-analysis/function.ts";
import type { AnalysedSets } from "./functions/market-analysis/sets.ts";
import type { TopicRole } from "./topics.ts";

/**
 * Groups and their functions: the file that a user edits.
 *
 * A group is one Partition object per partition, named `{group}/{partition}`, with a position of
 * its own in the topic that it reads.
 */
export interface FunctionGroup {
  readonly topic: TopicRole;
  /** The group whose outputs the topic carries (of the journal: its ticks): by their sequences repetitions are known. */
  readonly writer: "auction" | "enrich";
  /** By name; or the endpoints that were subscribed while Gavel runs. */
  readonly functions: Readonly<Record<string, DeclaredFunction>> | "subscriptions";
}

/**
 * What is analysed of the finished auctions: every category (`*`) by itself, and cars for each value
 * of their attribute `year` as well.
 */
const analysed: readonly AnalysedSets[] = [{ category: "*" }, { category: "cars", attribute: "year" }];

/** Groups that drive functions. */
const declaredGroups = {
  notify: { topic: "notifications", writer: "auction", functions: "subscriptions" },
  enrich: { topic: "completed", writer: "auction", functions: { enrich: declareFunction(enrich) } },
  analytics: { topic: "completed", writer: "auction", functions: { auctions: declareFunction(analytics) } },
  analyses: {
    topic: "completed",
    writer: "auction",
    functions: { market: declareFunction(marketAnalysis(analysed)) },
  },
  bidders: {
    topic: "notifications",
    writer: "auction",
    functions: { participation: declareFunction(participation(analysed)) },
  },
} satisfies Record<string, FunctionGroup>;

export type FunctionGroupName = keyof typeof declaredGroups;

export const functionGroups: Readonly<Record<FunctionGroupName, FunctionGroup>> = declaredGroups;
refuseSharedNames(functionGroups);

/** A delivery's id names topic and function: two of one name would have one id for two effects. */
function refuseSharedNames(all: Readonly<Record<string, FunctionGroup>>): void {
  const names = new Set<string>();
  for (const { topic, functions } of Object.values(all)) {
    for (const name of Object.keys(functions === "subscriptions" ? {} : functions)) {
      if (names.has(`${topic}/${name}`)) throw new TypeError(`two functions of ${topic} are named ${name}`);
      names.add(`${topic}/${name}`);
    }
  }
}

/** All groups. `auction` reads the journal and the items, and has a reducer instead of functions. */
export const groups = {
  auction: "auction",
  ...(Object.fromEntries(Object.keys(declaredGroups).map((name) => [name, name])) as {
    [Name in FunctionGroupName]: Name;
  }),
} as const;

export type GroupName = keyof typeof groups;

/** Groups that are handed what is appended to a topic. */
export function readersOf(topic: TopicRole): FunctionGroupName[] {
  const names = Object.keys(functionGroups) as FunctionGroupName[];
  return names.filter((name) => functionGroups[name].topic === topic);
}
