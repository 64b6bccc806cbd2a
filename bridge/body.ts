import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { HttpError } from "./http-error.ts";
import { JsonScanner, JsonSyntaxError } from "./json-scanner.ts";

/**
 * Reads a body of at most `limit` bytes.
 * @throws {HttpError} 413 for a longer one, 415 for a compressed one.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new HttpError(415, "a compressed body is not taken", { "accept-encoding": "identity" });
  }
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        request.pause();
        reject(tooLarge(limit));
      } else {
        chunks.push(chunk);
      }
    });
    request.on("end", () => resolve(join(chunks, length)));
    request.on("error", () => reject(new HttpError(400, "the body ended early")));
  });
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `a body takes at most ${limit} bytes`);
}

function join(chunks: readonly Buffer[], length: number): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
}

/**
 * Reads a body as JSON with `scan`, whatever its content type says, as Upstash does. Bytes that
 * are not UTF-8 are refused rather than replaced, since records are kept unchanged.
 * @throws {HttpError} 400
 */
export function scanJson<T>(body: Buffer, scan: (body: Buffer) => T): T {
  if (!isUtf8(body)) throw new HttpError(400, "the body is not UTF-8");
  try {
    return scan(body);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new HttpError(400, "the body is not JSON");
    throw error;
  }
}

/** Parses a small body; the scan before bounds its depth. @throws {JsonSyntaxError} */
export function parseJson(body: Buffer): unknown {
  const scanner = new JsonScanner(body);
  scanner.value();
  scanner.end();
  return JSON.parse(body.toString());
}
