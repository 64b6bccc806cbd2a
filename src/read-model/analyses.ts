import type { Database } from "../database.ts";
import type { AnalysisResult } from "../functions/market-analysis/result.ts";

/** The newest result of an analysis; null where it has none yet. @throws {Problem} `database-unavailable`. */
export async function getAnalysis(database: Database, id: string): Promise<AnalysisResult | null> {
  const [row] = await database.query<{ readonly result: string }>({
    sql: `SELECT result FROM analyses WHERE id = ?`,
    parameters: [id],
  });
  return row === undefined ? null : (JSON.parse(row.result) as AnalysisResult);
}

/** What a list shows of an analysis. */
export interface AnalysisSummary extends Pick<
  AnalysisResult,
  "category" | "attribute" | "asOf" | "auctions" | "sold" | "sellThrough"
> {
  readonly id: string;
}

/** Analyses that have a result, by their ids, behind one of them. @throws {Problem} likewise. */
export async function listAnalyses(
  database: Database,
  { after = "", limit }: { readonly after?: string; readonly limit: number },
): Promise<{ readonly analyses: readonly AnalysisSummary[]; readonly next?: string }> {
  // Without the prices, which are most of a result.
  const rows = await database.query<{ readonly id: string; readonly result: string }>({
    sql: `SELECT id, json_remove(result, '$.prices', '$.bidders') AS result FROM analyses
          WHERE id > ? ORDER BY id LIMIT ?`,
    parameters: [after, limit + 1],
  });
  const analyses = rows.slice(0, limit).map(({ id, result }) => summaryOf(id, result));
  const last = analyses.at(-1);
  return rows.length > limit && last !== undefined ? { analyses, next: last.id } : { analyses };
}

function summaryOf(id: string, result: string): AnalysisSummary {
  const { category, attribute, asOf, auctions, sold, sellThrough } = JSON.parse(result) as AnalysisResult;
  const of = attribute === undefined ? {} : { attribute };
  return { id, category, ...of, asOf, auctions, sold, sellThrough };
}
