import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { HttpError } from "./http-error.ts";
import { JsonScanner, JsonSyntaxError } from "./json-scanner.ts";

/**
 * Reads a body of at most `limit` bytes, counting them with `reserve`. What comes after a refusal
 * is read and dropped: a connection closed on a client that still sends would lose the answer.
 * @throws {HttpError} 413 for a longer one, 415 for a compressed one; what `reserve` throws.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  reserve: (bytes: number) => void,
): Promise<Buffer> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new HttpError(415, "a compressed body is not taken", { "accept-encoding": "identity" });
  }
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: unknown) => {
      chunks.length = 0;
      request.off("data", take).resume();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) return refuse(tooLarge(limit));
      try {
        reserve(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        refuse(error);
      }
    };
    request.on("data", take);
    request.on("end", resolve);
    request.on("error", () => refuse(new HttpError(400, "the body ended early")));
  });
  return join(chunks, length);
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `a body takes at most ${limit} bytes`);
}

function join(chunks: readonly Buffer[], length: number): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
}

/**
 * Runs a scan of a body as JSON, whatever its content type says, as Upstash does. Bytes that
 * are not UTF-8 are refused rather than replaced, since records are kept unchanged.
 * @throws {HttpError} 400
 */
export function scanJson<T>(body: Buffer, scan: () => T): T {
  if (!isUtf8(body)) throw new HttpError(400, "the body is not UTF-8");
  try {
    return scan();
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
