import { HttpError } from "./http-error.ts";
import { JsonScanner } from "./json-scanner.ts";
import { EMPTY_HEADERS, type JsonSlice } from "../log.ts";

/** A record as a client sends it, its texts where they stand in the request's body. */
export interface Message {
  readonly topic: string;
  readonly partition: number | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: JsonSlice | null;
  readonly value: JsonSlice;
  readonly headers: JsonSlice;
}

export interface MessageDefaults {
  /** The topic in the request's path, which counts before one in the body. */
  readonly topic: string | null;
  /** For a message without a timestamp. */
  readonly timestamp: number;
}

type Field = "topic" | "partition" | "timestamp" | "key" | "value" | "headers";

const fieldNames: readonly { readonly name: Field; readonly quoted: Buffer }[] = (
  ["topic", "partition", "timestamp", "key", "value", "headers"] as const
).map((name) => ({ name, quoted: Buffer.from(JSON.stringify(name)) }));

/** The headers' form in an answer; where a request has the same, its bytes are stored as they are. */
const HEADER_KEY = Buffer.from('{"key":');
const HEADER_VALUE = Buffer.from(',"value":');

/**
 * Reads one message or an array of them. Unknown fields are passed over, as Upstash does.
 * @throws {HttpError} 400 that names the field, 413 for more than `maxBatch` messages.
 * @throws {JsonSyntaxError}
 */
export function scanMessages(body: Buffer, maxBatch: number, defaults: MessageDefaults): Message[] {
  const scanner = new MessageScanner(body, defaults);
  const messages: Message[] = [];
  if (!scanner.takeIf(0x5b)) {
    messages.push(scanner.message(""));
  } else if (!scanner.takeIf(0x5d)) {
    do {
      if (messages.length === maxBatch) {
        throw new HttpError(413, `a produce takes at most ${maxBatch} records`);
      }
      messages.push(scanner.message(`[${messages.length}].`));
    } while (scanner.takeIf(0x2c));
    scanner.take(0x5d);
  }
  scanner.end();
  return messages;
}

class MessageScanner extends JsonScanner {
  readonly #defaults: MessageDefaults;
  #lastTopic = { text: "", start: 0, end: 0 };

  constructor(body: Buffer, defaults: MessageDefaults) {
    super(body);
    this.#defaults = defaults;
  }

  /** `place` is what an error's sentence begins with. */
  message(place: string): Message {
    let topic = this.#defaults.topic;
    let partition: number | null = null;
    let timestamp: number | null = null;
    let key: JsonSlice | null = null;
    let value: JsonSlice | null = null;
    let headers: JsonSlice | null = null;
    if (this.peek() !== 0x7b) throw new HttpError(400, `${place || "the body "}must be an object`);
    this.position++;
    if (!this.takeIf(0x7d)) {
      do {
        const field = this.#field();
        if (field === "topic") topic = this.#topic(place);
        else if (field === "partition") partition = this.#integer(place, field);
        else if (field === "timestamp") timestamp = this.#integer(place, field);
        else if (field === "key") key = this.nullIf() ? null : this.#text(place, field);
        else if (field === "value") value = this.#text(place, field);
        else if (field === "headers") headers = this.nullIf() ? null : this.#headers(place);
        else this.value();
      } while (this.takeIf(0x2c));
      this.take(0x7d);
    }
    if (topic === null) throw malformed(place, "topic", "must be a string");
    if (value === null) throw malformed(place, "value", "must be a string");
    if (timestamp !== null && timestamp < 0) throw malformed(place, "timestamp", "must not be negative");
    timestamp ??= this.#defaults.timestamp;
    return { topic, partition, timestamp, key, value, headers: headers ?? EMPTY_HEADERS };
  }

  /** Passes a member's name and colon. Null for a name that means nothing here. */
  #field(): Field | null {
    this.peek();
    const start = this.position;
    this.string();
    const end = this.position;
    this.take(0x3a);
    this.peek();
    for (const { name, quoted } of fieldNames) if (this.#equals(quoted, start, end)) return name;
    // A name may be written with escapes and is the same name.
    if (!this.bytes.subarray(start, end).includes("\\")) return null;
    const name: unknown = JSON.parse(this.bytes.toString("utf8", start, end));
    return fieldNames.find((field) => field.name === name)?.name ?? null;
  }

  /** Decodes a topic; a batch names the same one over and over. A path's topic counts before it. */
  #topic(place: string): string {
    const { start, end } = this.#text(place, "topic");
    if (this.#defaults.topic !== null) return this.#defaults.topic;
    const last = this.#lastTopic;
    if (this.#equals(this.bytes.subarray(last.start, last.end), start, end)) return last.text;
    const text = String(JSON.parse(this.bytes.toString("utf8", start, end)));
    this.#lastTopic = { text, start, end };
    return text;
  }

  #text(place: string, field: string): JsonSlice {
    if (this.peek() !== 0x22) throw malformed(place, field, "must be a string");
    const start = this.position;
    this.string();
    return { bytes: this.bytes, start, end: this.position };
  }

  #integer(place: string, field: string): number | null {
    if (this.nullIf()) return null;
    const byte = this.peek();
    const number = byte === 0x2d || (byte >= 0x30 && byte <= 0x39) ? this.number() : Number.NaN;
    if (Number.isSafeInteger(number)) return number;
    throw malformed(place, field, "must be an integer");
  }

  #headers(place: string): JsonSlice {
    if (this.peek() !== 0x5b) throw malformed(place, "headers", "must be an array");
    const start = this.position;
    const canonical = this.#canonicalHeaders();
    if (canonical) return { bytes: this.bytes, start, end: this.position };
    this.position = start;
    this.value();
    const headers: unknown = JSON.parse(this.bytes.toString("utf8", start, this.position));
    const bytes = Buffer.from(JSON.stringify(checkHeaders(headers, place)));
    return { bytes, start: 0, end: bytes.length };
  }

  /** Passes headers in exactly the form of an answer; false, somewhere inside, for any other. */
  #canonicalHeaders(): boolean {
    this.position++;
    if (this.#literal(0x5d)) return true;
    do {
      if (!this.#skip(HEADER_KEY) || !this.#plainString()) return false;
      if (!this.#skip(HEADER_VALUE) || !this.#plainString() || !this.#literal(0x7d)) return false;
    } while (this.#literal(0x2c));
    return this.#literal(0x5d);
  }

  #plainString(): boolean {
    if (this.bytes[this.position] !== 0x22) return false;
    this.string();
    return true;
  }

  #literal(byte: number): boolean {
    if (this.bytes[this.position] !== byte) return false;
    this.position++;
    return true;
  }

  #skip(expected: Buffer): boolean {
    const end = this.position + expected.length;
    if (!this.#equals(expected, this.position, end)) return false;
    this.position = end;
    return true;
  }

  #equals(expected: Buffer, start: number, end: number): boolean {
    if (expected.length !== end - start) return false;
    for (let index = 0; index < expected.length; index++) {
      if (this.bytes[start + index] !== expected[index]) return false;
    }
    return true;
  }
}

function checkHeaders(headers: unknown, place: string): { key: string; value: string }[] {
  if (!Array.isArray(headers)) throw malformed(place, "headers", "must be an array");
  return headers.map((header: unknown, index) => {
    const fields = typeof header === "object" && header !== null ? header : {};
    const key = "key" in fields ? fields.key : undefined;
    const value = "value" in fields ? fields.value : undefined;
    if (typeof key === "string" && typeof value === "string") return { key, value };
    throw malformed(place, `headers[${index}]`, "must have a key and a value, both strings");
  });
}

function malformed(place: string, name: string, rule: string): HttpError {
  return new HttpError(400, `${place}${name} ${rule}`);
}
