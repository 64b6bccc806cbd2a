import { concatenate } from "../lib/bytes.ts";

/** What came of a compressed body. */
export type Expanded =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | { readonly kind: "too-large" }
  | { readonly kind: "malformed" };

/**
 * Compressed bytes that go in before it is waited for what they became, a thousand times as many at
 * most: the runtime takes all that it is given at once and keeps what nobody has read yet.
 */
const sliceBytes = 2_048;

/**
 * Expands a gzip file of one member, and stops as soon as there is more of it than `limit`. Bytes
 * that are missing, changed or left over behind its end make it malformed.
 */
export async function gunzip(compressed: Uint8Array, limit: number): Promise<Expanded> {
  const { readable, writable } = new DecompressionStream("gzip");
  const drain = createDrain(readable.getReader(), limit);
  const fed = feed(writable.getWriter(), compressed, drain).then(
    () => true,
    () => false,
  );
  const kind = await drain.ended;
  // Nothing more is read: what is being written may wait for that without an end.
  if (kind !== "whole") return { kind };
  return (await fed) ? { kind, bytes: drain.bytes() } : { kind: "malformed" };
}

interface Drain {
  readonly ended: Promise<Expanded["kind"]>;
  /** How often something was read; it stands still once all that there is has been read. */
  readonly reads: () => number;
  readonly isOver: () => boolean;
  readonly bytes: () => Uint8Array;
}

/** Reads to the end, or until there is more than `limit`. */
function createDrain(reader: ReadableStreamDefaultReader<Uint8Array>, limit: number): Drain {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isOver = false;
  const read = async (): Promise<Expanded["kind"]> => {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        length += next.value.length;
        chunks.push(next.value);
        if (length > limit) {
          reader.cancel().catch(() => undefined);
          return "too-large";
        }
      }
      return "whole";
    } catch {
      return "malformed";
    } finally {
      isOver = true;
    }
  };
  return {
    ended: read(),
    reads: () => chunks.length,
    isOver: () => isOver,
    bytes: () => concatenate(chunks, length),
  };
}

/** @throws {TypeError} where the bytes are no gzip, which the drain sees as well */
async function feed(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  bytes: Uint8Array,
  drain: Drain,
): Promise<void> {
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    await writer.write(bytes.subarray(start, start + sliceBytes));
    if (start + sliceBytes < bytes.length) await settled(drain);
    if (drain.isOver()) return await writer.abort();
  }
  await writer.close();
}

/** Until nothing more comes of what was written: a timer's turn is behind whatever can be read now. */
async function settled({ reads, isOver }: Drain): Promise<void> {
  for (let before = -1; before !== reads() && !isOver();) {
    before = reads();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
