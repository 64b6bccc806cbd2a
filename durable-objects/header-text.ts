import type { RecordHeader } from "../src/kafka/port.ts";

/**
 * A record's headers as one string, so that a push clones one string a record and not eighteen.
 * Names and values in turn, a line each; as JSON where one of them holds a line break itself.
 */
export function encodeHeaders(headers: readonly RecordHeader[]): string {
  let text = "";
  for (const { key, value } of headers) {
    if (key.includes("\n") || value.includes("\n") || key.startsWith("[")) return JSON.stringify(headers);
    text += text === "" ? `${key}\n${value}` : `\n${key}\n${value}`;
  }
  return text;
}

/** The inverse of `encodeHeaders`. */
export function decodeHeaders(text: string): RecordHeader[] {
  if (text === "") return [];
  if (text.startsWith("[")) return JSON.parse(text) as RecordHeader[];
  const lines = text.split("\n");
  const headers: RecordHeader[] = [];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    headers.push({ key: lines[index] as string, value: lines[index + 1] as string });
  }
  return headers;
}
