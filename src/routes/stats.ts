import { mergeCategories, mergeCells, mergeWindows } from "./merge-stats.ts";
import { admit, type AppContext } from "./operation.ts";
import { cellParameters, readParameters, windowParameters } from "./parameters.ts";

/** `GET /v1/stats/categories`. */
export async function getCategories(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  return json(mergeCategories(await services.partitions.callAll((object) => object.categoryStats())));
}

/** `GET /v1/stats/windows?seconds&category`. */
export async function getWindows(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  const { seconds, category } = readParameters(windowParameters, context.req.queries());
  const query = category === undefined ? { seconds } : { seconds, category };
  const partitions = await services.partitions.callAll((object) => object.windowStats(query));
  return json({ seconds, windows: mergeWindows(partitions) });
}

/** `GET /v1/stats/cells?resolution`. */
export async function getCells(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read");
  const { resolution } = readParameters(cellParameters, context.req.queries());
  const partitions = await services.partitions.callAll((object) => object.cellStats());
  return json({ cells: mergeCells(partitions, resolution) });
}

function json(body: unknown): Response {
  return Response.json(body);
}
