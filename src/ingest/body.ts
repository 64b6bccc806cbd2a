import type { Config } from "../config.ts";
import { concatenate } from "../lib/bytes.ts";
import { Problem } from "../lib/problem.ts";
import { gunzip } from "./gunzip.ts";

export type BodyLimits = Pick<Config["limits"], "maxBodyBytes" | "bodyTimeoutMs">;

/**
 * The request's body, expanded where it is compressed, at most `most` bytes of it in memory.
 * @throws {Problem} `body-too-large`; `unsupported-media-type` for another encoding than gzip;
 *   `malformed-encoding`; `request-timeout` when it takes too long, of which every byte counts;
 *   `incomplete-body` when the client goes away, which is no failure of the gateway.
 */
export async function readBody(
  request: Request,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  most: number = maxBodyBytes,
): Promise<Uint8Array> {
  const limit = Math.min(most, maxBodyBytes);
  const isCompressed = isGzip(request.headers.get("content-encoding"));
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array(0);
  if (!isCompressed) return readRaw(request, body, { limit, bytes: limit, timeoutMs: bodyTimeoutMs });
  const bytes = compressedBound(limit);
  const compressed = await readRaw(request, body, { limit, bytes, timeoutMs: bodyTimeoutMs });
  const expanded = await gunzip(compressed, limit);
  if (expanded.kind === "whole") return expanded.bytes;
  if (expanded.kind === "too-large") throw tooLarge(limit);
  throw new Problem("malformed-encoding", "The body must be one whole gzip member");
}

/** Whether the body is compressed. @throws {Problem} for what cannot be expanded; as RFC 9110, 12.5.3. */
function isGzip(header: string | null): boolean {
  if (header === null) return false;
  const encoding = header.trim().toLowerCase();
  if (encoding === "gzip" || encoding === "x-gzip") return true;
  if (encoding === "identity" || encoding === "") return false;
  throw new Problem("unsupported-media-type", "Send the body as it is or with Content-Encoding: gzip", {
    headers: { "accept-encoding": "gzip, identity" },
  });
}

/** Of a compressed body: what cannot be compressed gets longer by its frame and a little for each block. */
function compressedBound(limit: number): number {
  return limit + Math.ceil(limit / 1_024) + 1_024;
}

interface Bounds {
  /** What the client is told of a body that is too large. */
  readonly limit: number;
  /** What is read of it at most. */
  readonly bytes: number;
  readonly timeoutMs: number;
}

/** The bytes as they were sent. */
async function readRaw(
  request: Request,
  body: ReadableStream<Uint8Array>,
  bounds: Bounds,
): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > bounds.bytes) throw tooLarge(bounds.limit);
  try {
    // The runtime reads no more of a body than its declared length.
    return declared === null
      ? await readStream(body, bounds)
      : new Uint8Array(await inTime(request.arrayBuffer(), bounds.timeoutMs));
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("incomplete-body", "The body ended early", { cause });
  }
}

async function readStream(
  body: ReadableStream<Uint8Array>,
  { limit, bytes, timeoutMs }: Bounds,
): Promise<Uint8Array> {
  const reader = body.getReader();
  try {
    return await inTime(readChunks(reader, bytes, limit), timeoutMs);
  } catch (error) {
    // Ends the connection where the client still sends; how it takes that is of no interest.
    reader.cancel().catch(() => undefined);
    throw error;
  }
}

async function readChunks(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytes: number,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > bytes) throw tooLarge(limit);
    chunks.push(next.value);
  }
  return concatenate(chunks, length);
}

/** @throws {Problem} `request-timeout`, whatever becomes of the reading then */
async function inTime<Value>(reading: Promise<Value>, milliseconds: number): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooSlow(milliseconds)), milliseconds);
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(milliseconds: number): Problem {
  // The rest of the body may still come, so that the connection is of no further use (RFC 9110, 15.5.9).
  return new Problem("request-timeout", `A body arrives within ${milliseconds} ms`, {
    headers: { connection: "close" },
  });
}

function tooLarge(limit: number): Problem {
  return new Problem("body-too-large", `A body has at most ${limit} bytes`);
}
