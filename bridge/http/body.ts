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
  const chunks = new Chunks();
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: unknown) => {
      chunks.clear();
      request.off("data", take).resume();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) return refuse(tooLarge(limit));
      try {
        reserve(chunk.length);
        chunks.add(chunk);
      } catch (error) {
        refuse(error);
      }
    };
    request.on("data", take);
    request.on("end", resolve);
    request.on("error", () => refuse(new HttpError(400, "the body ended early")));
  });
  return chunks.join();
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `a body takes at most ${limit} bytes`);
}

/** So many pieces are joined to one: a buffer costs some hundred bytes beside what it holds. */
const MOST_CHUNKS = 512;

/** A body's pieces. A client that sends it byte by byte has it take no more memory than another. */
class Chunks {
  #joined: Buffer[] = [];
  #loose: Buffer[] = [];

  add(chunk: Buffer): void {
    this.#loose.push(chunk);
    if (this.#loose.length < MOST_CHUNKS) return;
    this.#joined.push(Buffer.concat(this.#loose));
    this.#loose = [];
    // The joined ones are pieces as well: of a large body in tiny chunks there are thousands.
    if (this.#joined.length === MOST_CHUNKS) this.#joined = [Buffer.concat(this.#joined)];
  }

  join(): Buffer {
    const all = [...this.#joined, ...this.#loose];
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : Buffer.concat(all);
  }

  clear(): void {
    this.#joined = [];
    this.#loose = [];
  }
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
