import { concatenate } from "../../lib/bytes.ts";
import { LookUpError } from "./profile-source.ts";

/**
 * The whole body, at most `limit` bytes of it in memory. An abort ends it also where the runtime's
 * `fetch` no longer looks at its signal once the headers are there.
 * @throws {LookUpError} where it is longer, or the signal is aborted.
 */
export async function readAtMost(
  response: Response,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return new Uint8Array(0);
  const reader = body.getReader();
  const give = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", give);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > limit) {
        give();
        throw new LookUpError(`The look-up's answer is longer than ${limit} bytes`);
      }
      chunks.push(next.value);
    }
    signal.throwIfAborted();
    return concatenate(chunks, length);
  } finally {
    signal.removeEventListener("abort", give);
  }
}
