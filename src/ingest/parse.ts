import { Problem } from "../lib/problem.ts";
import { isDecoded } from "../lib/text.ts";
import { parseJson, parseNdjson } from "./json.ts";
import { isJson, isWholeEvent, parseMediaType } from "./media-type.ts";

/** What a body holds: one event, or several, which get an answer of their own even when one. */
export interface Parsed {
  readonly shape: "one" | "several";
  readonly documents: readonly unknown[];
}

const ndjsonTypes: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
]);

/** An object, an array, or NDJSON. @throws {Problem} */
export function parsePlain(headers: Headers, bytes: Uint8Array): Parsed {
  const type = mediaType(headers);
  if (ndjsonTypes.has(type)) return { shape: "several", documents: parseNdjson(bytes) };
  if (type !== "application/json") throw unsupported("application/json, application/x-ndjson");
  return oneOrSeveral(parseJson(bytes));
}

/** A single JSON object; an absent body counts as an empty one. @throws {Problem} */
export function parseObject(headers: Headers, bytes: Uint8Array): Parsed {
  if (bytes.length === 0) return { shape: "one", documents: [{}] };
  if (mediaType(headers) !== "application/json") throw unsupported("application/json");
  return { shape: "one", documents: [parseJson(bytes)] };
}

/**
 * CloudEvents in one of HTTP's three modes, each as a structured event.
 * Source: CloudEvents HTTP protocol binding 1.0.2, section 3.
 * @throws {Problem}
 */
export function parseCloudEvents(headers: Headers, bytes: Uint8Array): Parsed {
  const type = mediaType(headers);
  if (type === "application/cloudevents+json") return { shape: "one", documents: [parseJson(bytes)] };
  if (type === "application/cloudevents-batch+json") {
    const documents = parseJson(bytes);
    if (Array.isArray(documents)) return { shape: "several", documents };
    throw new Problem("invalid-type", "A batch of CloudEvents is a JSON array");
  }
  // An event without data, as a tick is, needs no type: there is nothing that it would be the type of.
  const isReadable = (isJson(type) && !isWholeEvent(type)) || (type === "" && bytes.length === 0);
  if (isReadable && requiredHeaders.some((name) => headers.has(name))) {
    return { shape: "one", documents: [binaryEvent(headers, bytes)] };
  }
  throw unsupported(
    "application/cloudevents+json, application/cloudevents-batch+json",
    "Send application/cloudevents+json, application/cloudevents-batch+json, or JSON with ce- headers",
  );
}

/** One of them makes a request an event in binary mode, of which it is then told what else is missing. */
const requiredHeaders = ["ce-specversion", "ce-id", "ce-source", "ce-type"] as const;

/**
 * Binary mode: attributes are in `ce-` headers, the data's type is the body's, the body is the data.
 * A body of no bytes is no data.
 */
function binaryEvent(headers: Headers, bytes: Uint8Array): Record<string, unknown> {
  const attributes: [string, unknown][] = [["datacontenttype", headers.get("content-type")]];
  if (bytes.length > 0) attributes.push(["data", parseJson(bytes)]);
  for (const [name, value] of headers) {
    if (!name.startsWith("ce-")) continue;
    if (saidByBody.has(name)) {
      throw new Problem("invalid-header", `${name} is no header: the body and its Content-Type say it`);
    }
    attributes.push([name.slice("ce-".length), decodeAttribute(value, name)]);
  }
  // Entries define members where assignments would set a prototype, as of ce-__proto__.
  return Object.fromEntries(attributes);
}

const saidByBody: ReadonlySet<string> = new Set(["ce-data", "ce-data_base64", "ce-datacontenttype"]);

/** Unquoted, then percent-decoded once. Source: as above, section 3.1.3.2. */
function decodeAttribute(value: string, name: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1];
  try {
    if (isDecoded(value)) return decodeURIComponent(quoted?.replaceAll(/\\(.)/g, "$1") ?? value);
  } catch {
    // Told below, with what is not UTF-8 without being encoded.
  }
  throw new Problem("invalid-header", `${name} is not percent-encoded UTF-8`);
}

function oneOrSeveral(value: unknown): Parsed {
  return Array.isArray(value) ? { shape: "several", documents: value } : { shape: "one", documents: [value] };
}

/** The type in lower case, without parameters; a charset other than UTF-8 is refused. */
function mediaType(headers: Headers): string {
  const { essence, isUtf8 } = parseMediaType(headers.get("content-type"));
  if (!isUtf8) throw new Problem("unsupported-media-type", "The body must be in UTF-8");
  return essence;
}

/** @param accepted media types, as the answer's `Accept` lists them. Source: RFC 9110, 15.5.16. */
function unsupported(accepted: string, detail = `Send ${accepted.replace(", ", " or ")}`): Problem {
  return new Problem("unsupported-media-type", detail, { headers: { accept: accepted } });
}
