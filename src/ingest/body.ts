import { Problem } from "../lib/problem.ts";

/**
 * The request's body, at most `limit` bytes of it in memory.
 * @throws {Problem} `body-too-large`; `unsupported-media-type` for a compressed body.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new Problem("unsupported-media-type", "Send the body without Content-Encoding");
  }
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (Number(declared) > limit) throw tooLarge(limit);
    // The runtime reads no more of a body than its declared length.
    return new Uint8Array(await request.arrayBuffer());
  }
  const body: ReadableStream<Uint8Array> | null = request.body;
  return body === null ? new Uint8Array(0) : readStream(body, limit);
}

async function readStream(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > limit) {
      await reader.cancel();
      throw tooLarge(limit);
    }
    chunks.push(next.value);
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function tooLarge(limit: number): Problem {
  return new Problem("body-too-large", `A body has at most ${limit} bytes`);
}
