import { Problem } from "../lib/problem.ts";
import type { AppContext } from "./operation.ts";

/** How long an answer may be used without a question, in seconds; then its `ETag` is asked about. */
const freshForSeconds = 300;

/** In place of what every other answer says. The page takes everything from where it is itself, and nothing of it is code or style in its text. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What the page loads, by name. */
const pageFiles: ReadonlyMap<string, string> = new Map([
  ["docs.css", "text/css; charset=utf-8"],
  ["docs.js", "text/javascript; charset=utf-8"],
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"],
  ["favicon-32x32.png", "image/png"],
]);

/** `GET /openapi.json`: the interface over HTTP. */
export function getOpenApi(context: AppContext): Promise<Response> {
  return answerAsset(context, "openapi.json", "application/json");
}

/** `GET /asyncapi.json`: the topics and the webhooks. */
export function getAsyncApi(context: AppContext): Promise<Response> {
  return answerAsset(context, "asyncapi.json", "application/json");
}

/** `GET /docs`: the interface over HTTP, to be read. */
export async function getDocs(context: AppContext): Promise<Response> {
  const answer = await answerAsset(context, "docs.html", "text/html; charset=utf-8");
  answer.headers.set("content-security-policy", pagePolicy);
  return answer;
}

/** `GET /docs/{file}`: what the page loads. */
export function getDocsFile(context: AppContext): Promise<Response> {
  const name = context.req.param("file") ?? "";
  const type = pageFiles.get(name);
  if (type === undefined) throw new Problem("not-found", "The page has no such file");
  return answerAsset(context, name, type);
}

/** A file that is deployed beside the Worker; `304` where the client has it as it is. */
async function answerAsset(context: AppContext, name: string, type: string): Promise<Response> {
  const known = context.req.header("if-none-match");
  const asset = await context.env.ASSETS.fetch(`https://assets.invalid/${name}`, {
    headers: known === undefined ? {} : { "if-none-match": known },
  });
  if (asset.status !== 200 && asset.status !== 304) {
    await asset.body?.cancel();
    throw new Problem("not-found", "The gateway was deployed without this file");
  }
  const headers = new Headers({
    "cache-control": `public, max-age=${freshForSeconds}`,
    etag: asset.headers.get("etag") ?? "",
  });
  if (asset.status === 200) headers.set("content-type", type);
  return new Response(asset.body, { status: asset.status, headers });
}
