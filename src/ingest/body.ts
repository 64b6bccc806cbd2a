import { Problem } from "../lib/problem.ts";

/**
 * The request's body, at most `limit` bytes of it in memory.
 * @throws {Problem} `body-too-large`; `unsupported-media-type` for a compressed body;
 *   `incomplete-body` when the client goes away, which is no failure of the gateway.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new Problem("unsupported-media-type", "Send the body without Content-Encoding");
  }
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit) throw tooLarge(limit);
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array(0);
  try {
    // The runtime reads no more of a body than its declared length.
    return declared === null ? await readStream(body, limit) : new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("incomplete-body", "The body ended early", { cause });
  }
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

export function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
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
