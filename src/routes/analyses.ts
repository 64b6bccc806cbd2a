import { Problem } from "../lib/problem.ts";
import { describeError } from "../lib/log.ts";
import { formatTimestamp } from "../lib/time.ts";
import { getAnalysis, listAnalyses } from "../read-model/analyses.ts";
import type { Services } from "../services.ts";
import { admit, type AppContext } from "./operation.ts";
import { analysesParameters, readParameters } from "./parameters.ts";

/** `GET /v1/analyses/{id}`: the newest result, and what runs now. */
export async function getAnalysisOf(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  const id = context.req.param("id") ?? "";
  const found = await getAnalysis(services.database, id);
  if (found === null) throw new Problem("unknown-analysis", "No analysis of this id has a result yet");
  const { run, ...result } = found;
  return context.json({ id, ...result, run: { ...run, ...(await statusOf(services, id)) } });
}

/** A result is told also where this is not known. */
async function statusOf(services: Services, id: string): Promise<Record<string, unknown>> {
  try {
    const live = await services.analyses.runOf(id);
    if (live.status !== "running") return { status: live.status };
    const { slices, startedAt, status } = live;
    return { status, running: { startedAt: formatTimestamp(startedAt), slices } };
  } catch (error) {
    services.logger("warn", "analysis-silent", { analysis: id, error: describeError(error) });
    return { status: "unknown" };
  }
}

/** `GET /v1/analyses`: those that have a result, by their ids. */
export async function getAnalyses(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  const { cursor, limit } = readParameters(analysesParameters, context.req.queries());
  const page = await listAnalyses(services.database, {
    limit,
    ...(cursor === undefined ? {} : { after: cursor }),
  });
  return context.json(page);
}
