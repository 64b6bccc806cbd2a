import type { LogRecord, RecordHeader } from "./port.ts";

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
  if (text.startsWith("[")) return JSON.parse(text) as RecordHeader[];
  const headers: RecordHeader[] = [];
  visitText(text, (key, value) => headers.push({ key, value }));
  return headers;
}

/** Visits a record's headers in order; makes no objects of a pushed record's. */
export function visitHeaders(record: LogRecord, visit: (key: string, value: string) => void): void {
  const text = record instanceof PushedRecord ? record.headerText : undefined;
  if (text !== undefined && !text.startsWith("[")) return visitText(text, visit);
  for (const { key, value } of record.headers) visit(key, value);
}

function visitText(text: string, visit: (key: string, value: string) => void): void {
  if (text === "") return;
  const lines = text.split("\n");
  for (let index = 0; index + 1 < lines.length; index += 2)
    visit(lines[index] as string, lines[index + 1] as string);
}

/** A record as a push brought it: its headers become objects only where somebody asks for them. */
export class PushedRecord implements LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
  readonly headerText: string;

  constructor(
    place: { readonly topic: string; readonly partition: number },
    offset: number,
    timestamp: number,
    [key, value, headerText]: readonly [key: string, value: string, headerText: string],
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.key = key;
    this.value = value;
    this.headerText = headerText;
  }

  get headers(): readonly RecordHeader[] {
    return decodeHeaders(this.headerText);
  }
}
