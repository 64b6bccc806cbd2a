import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { HttpError } from "./http-error.ts";

/** Reads a body of at most `limit` bytes. @throws {HttpError} 413, 415 where it is compressed. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new HttpError(415, "a compressed body is not taken", { "accept-encoding": "identity" });
  }
  const tooLarge = () => new HttpError(413, `a body takes at most ${limit} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) return reject(tooLarge());
      chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on("error", () => reject(new HttpError(400, "the body ended early")));
  });
}

/**
 * The body as JSON, whatever its content type says, as Upstash reads it. Bytes that are not UTF-8
 * are refused rather than replaced, since records are kept unchanged.
 * @throws {HttpError} 400
 */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new HttpError(400, "the body is not UTF-8");
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new HttpError(400, "the body is not JSON");
  }
}
