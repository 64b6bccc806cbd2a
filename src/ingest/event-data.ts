import { type Issue, Problem } from "../lib/problem.ts";
import { parseJson } from "./json.ts";

/** An event's data, and where it is in what the client sent. */
interface EventData {
  readonly data: unknown;
  readonly root: "/data" | "/data_base64";
}

/**
 * The data of a structured event, from `data` or from `data_base64`, whose bytes have to be what a
 * body in binary mode has to be. Source: CloudEvents JSON format 1.0.2, 3.1.2.
 */
export function readEventData(
  event: { readonly data?: unknown; readonly data_base64?: string | null | undefined },
  issues: Issue[],
): EventData {
  const { data, data_base64: encoded } = event;
  if (encoded == null) return { data, root: "/data" };
  const refuse = (code: Issue["code"], message: string): EventData => {
    issues.push({ pointer: "/data_base64", code, message });
    return { data: undefined, root: "/data_base64" };
  };
  if (data !== undefined) return refuse("given-twice", "is there beside data");
  const bytes = decodeBase64(encoded);
  if (bytes === null) return refuse("invalid-format", "must be base64, with padding and without line breaks");
  try {
    return { data: parseJson(bytes), root: "/data_base64" };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return refuse("invalid-format", `must hold one JSON document that a body could be (${error.code})`);
  }
}

/** RFC 4648, section 4; `atob` alone would take blanks, and do without padding. */
function decodeBase64(text: string): Uint8Array | null {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.slice(0, text.length - padding);
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(digits)) return null;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
