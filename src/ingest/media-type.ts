/** What a `Content-Type` says, as far as bodies are read by it. */
export interface MediaType {
  /** `type/subtype` in lower case; empty where there is none. */
  readonly essence: string;
  /** Whether it names no other charset than UTF-8, of which ASCII is a part. */
  readonly isUtf8: boolean;
}

const utf8Names = /^(?:utf-?8|us-ascii)$/i;

export function parseMediaType(text: string | null): MediaType {
  const [essence = "", ...parameters] = unquoted(text ?? "").split(";");
  const charsets = parameters.flatMap(
    (parameter) => /^\s*charset\s*=\s*(\S*)\s*$/i.exec(parameter)?.[1] ?? [],
  );
  return {
    essence: essence.trim().toLowerCase(),
    isUtf8: charsets.every((charset) => utf8Names.test(charset)),
  };
}

/** Semicolons in quotes part nothing. */
function unquoted(text: string): string {
  if (!text.includes('"')) return text;
  return text.replaceAll(/"((?:[^"\\]|\\.)*)"/g, (_, content: string) => content.replaceAll(";", ","));
}

/** CloudEvents' own types say that the body is the event, and not that it is data. */
export function isWholeEvent(essence: string): boolean {
  return essence.startsWith("application/cloudevents");
}

/** JSON, or something made of it. Source: CloudEvents JSON format 1.0.2, 3.1.1. */
export function isJson(essence: string): boolean {
  return /^[^/]+\/(?:[^/]+\+)?json$/.test(essence);
}
