import type { IncomingMessage } from "node:http";
import { parseJson, readBody } from "./body.ts";
import { fetchRecords, listOffsets } from "./consume.ts";
import { HttpError } from "./http-error.ts";
import type { Limits } from "./limits.ts";
import type { EventLog } from "./log.ts";
import { produce } from "./produce.ts";

export interface RouteContext {
  readonly log: EventLog;
  readonly limits: Limits;
  readonly request: IncomingMessage;
  /** Aborts when the client is gone or the bridge stops. */
  readonly signal: AbortSignal;
}

/** Answers one authenticated request. @throws {HttpError} */
export async function route(context: RouteContext): Promise<string | Buffer> {
  const { log, limits, request } = context;
  const url = new URL(request.url ?? "/", "http://bridge");
  const [name, ...rest] = segments(url.pathname);
  const json = async () => parseJson(await readBody(request, limits.maxBodyBytes));
  switch (name) {
    case "topics":
      expect(rest.length === 0);
      allow(request, ["GET"]);
      return JSON.stringify(Object.fromEntries(await log.topics()));
    case "produce":
      expect(rest.length <= 2);
      allow(request, rest.length === 2 ? ["GET"] : ["GET", "POST"]);
      return rest.length === 2
        ? produceFromPath(context, rest[0] ?? "", rest[1] ?? "", url.searchParams.get("key"))
        : produce(log, limits, await json(), rest[0] ?? null);
    case "fetch":
      expect(rest.length === 0);
      allow(request, ["GET", "POST"]);
      return fetchRecords(log, limits, await json(), context.signal);
    case "offsets":
      expect(rest.length === 1);
      allow(request, ["GET", "POST"]);
      return listOffsets(log, limits, await json(), rest[0] ?? "");
    default:
      throw new HttpError(404, "not found");
  }
}

/** `GET /produce/{topic}/{message}` answers the one record's metadata, not an array. */
async function produceFromPath(
  { log, limits }: RouteContext,
  topic: string,
  value: string,
  key: string | null,
): Promise<string> {
  const answer = await produce(log, limits, [{ value, key }], topic);
  return answer.slice(1, -1);
}

/** A path's segments, decoded; one trailing slash does not count. */
function segments(path: string): string[] {
  try {
    return path.replace(/^\//, "").replace(/\/$/, "").split("/").map(decodeURIComponent);
  } catch {
    throw new HttpError(400, "the path is not valid percent-encoding");
  }
}

function expect(found: boolean): void {
  if (!found) throw new HttpError(404, "not found");
}

function allow(request: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(request.method ?? "")) return;
  throw new HttpError(405, "method not allowed", { allow: methods.join(", ") });
}
