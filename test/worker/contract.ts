import { env } from "cloudflare:workers";

const { CONTRACT_URL: url = "" } = env as unknown as Record<string, string>;
// A test may put another one in its place.
const realFetch = globalThis.fetch;

/** What is no text is not looked into. */
async function textOf(answer: Response, type = ""): Promise<string> {
  const bytes = await answer.arrayBuffer();
  return type.startsWith("image/") ? "image" : new TextDecoder().decode(bytes);
}

/**
 * Holds an answer against the interface's document, which a process beside the runtime has.
 * @throws where the document does not have the status, a header or the body's form
 */
export async function requireDocumented(method: string, path: string, answer: Response): Promise<void> {
  const headers = Object.fromEntries(answer.headers);
  const isEndless = answer.webSocket !== null || headers["content-type"]?.startsWith("text/event-stream");
  const body = isEndless === true ? {} : { body: await textOf(answer.clone(), headers["content-type"]) };
  const exchange = { method, path, status: answer.status, headers, ...body };
  const checked = await realFetch(url, { method: "POST", body: JSON.stringify(exchange) });
  if (!checked.ok) throw new Error(`The answer could not be checked: ${await checked.text()}`);
  const faults: string[] = await checked.json();
  if (faults.length > 0) throw new Error(`The answer is not as the document says. ${faults.join("\n")}`);
}
