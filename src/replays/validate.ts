import { z } from "zod";
import { analyses, type AnalysisName, analysisNames } from "../analyses/registry.ts";
import { issuesFromZod } from "../ingest/issues.ts";
import { type Issue, type Problem, problemFromIssues } from "../lib/problem.ts";
import { failure, ok, type Result } from "../lib/result.ts";
import { topics } from "../topics.ts";
import { isBehind, type Place, placeSchema } from "./place.ts";

/** What a client wants of a replay, defaults put in. */
export interface ReplayRequest {
  readonly analysis: AnalysisName;
  /** As clients name it. */
  readonly topic: string;
  readonly parameters: unknown;
  readonly from: Place | undefined;
  readonly to: Place | undefined;
  readonly maximumRecords: number;
  readonly maximumBytes: number;
}

const mebibyte = 1_048_576;

export function replaySchema(partitions: number) {
  return z.strictObject({
    analysis: z.enum(analysisNames),
    topic: z.string().optional(),
    from: placeSchema(partitions).optional(),
    to: placeSchema(partitions).optional(),
    parameters: z.record(z.string(), z.unknown()).default({}),
    maximumRecords: z.int().min(1).max(10_000_000).default(1_000_000),
    maximumBytes: z
      .int()
      .min(1)
      .max(16_384 * mebibyte)
      .default(1_024 * mebibyte),
  });
}

/**
 * A replay as a client asks for it; else every fault of it, also those of the analysis's own
 * parameters.
 */
export function validateReplay(document: unknown, partitions: number): Result<ReplayRequest, Problem> {
  const result = replaySchema(partitions).safeParse(document);
  const issues = result.success ? [] : issuesFromZod(result.error.issues, document, "");
  const members = membersOf(document);
  const { analysis: name } = members;
  const analysis = isAnalysis(name) ? name : undefined;
  const parameters = members["parameters"] ?? {};
  const asked =
    analysis === undefined || !isMembers(parameters)
      ? undefined
      : analyses[analysis].parameters.safeParse(parameters);
  if (asked?.success === false) issues.push(...issuesFromZod(asked.error.issues, parameters, "/parameters"));
  const { topic } = members;
  if (analysis !== undefined && typeof topic === "string" && !namesOf(analysis).includes(topic)) {
    const message = `must be one of what ${analysis} reads: ${namesOf(analysis).join(", ")}`;
    issues.push({ pointer: "/topic", code: "invalid-format", message });
  }
  if (result.success) issues.push(...faultsOfPlaces(result.data.from, result.data.to));
  if (!result.success || issues.length > 0) return failure(problemFromIssues(issues, "replay"));
  const { from, to, ...settings } = result.data;
  const named = settings.topic ?? topics[analyses[settings.analysis].topics[0]];
  return ok({ ...settings, from, to, topic: named, parameters: asked?.data });
}

function faultsOfPlaces(from: Place | undefined, to: Place | undefined): Issue[] {
  if (from === undefined || to === undefined || !isBehind(from, to)) return [];
  return [{ pointer: "/from", code: "too-big", message: "must not be behind `to`" }];
}

function namesOf(analysis: AnalysisName): string[] {
  return analyses[analysis].topics.map((role) => topics[role]);
}

function isAnalysis(name: unknown): name is AnalysisName {
  return typeof name === "string" && Object.hasOwn(analyses, name);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMembers(value) ? value : {};
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
