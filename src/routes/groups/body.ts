import { readBody } from "../../ingest/body.ts";
import { parseObject } from "../../ingest/parse.ts";
import type { Problem } from "../../lib/problem.ts";
import type { Result } from "../../lib/result.ts";
import type { Services } from "../../services.ts";
import type { AppContext } from "../operation.ts";

/** Bytes of a body at most: 500 ids fit in. */
const largestBody = 65_536;

/** The body of an operation; an absent one counts as an empty object. @throws {Problem} naming every fault */
export async function readOperation<Body>(
  context: AppContext,
  { config }: Services,
  validate: (document: unknown) => Result<Body, Problem>,
): Promise<Body> {
  const request = context.req.raw;
  const bytes = await readBody(request, config.limits, largestBody);
  const result = validate(parseObject(request.headers, bytes).documents[0]);
  if (result.ok) return result.value;
  throw result.error;
}
