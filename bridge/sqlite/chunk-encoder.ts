import type { AppendRecord } from "../log.ts";
import { RECORD_END } from "../log.ts";

/** Digits of an offset and a timestamp, and the names and punctuation of a record. */
const FRAME_BYTES = 2 * 16 + ',"timestamp":,"key":"","value":,"headers":'.length + RECORD_END.length;
const VALUE_NAME = Buffer.from(',"value":');
const HEADERS_NAME = Buffer.from(',"headers":');
const NO_KEY = Buffer.from('""');
const END = Buffer.from(RECORD_END);

/**
 * Writes a run of records in the form of a fetch's answer. The parts stay where they came in and
 * are copied once, when the run is complete and its size known.
 */
export class ChunkEncoder {
  readonly #prefix: string;
  readonly #records: { readonly offset: number; readonly record: AppendRecord }[] = [];
  /** An upper bound of the encoded size. */
  bytes = 0;

  /** `prefix` is what comes before the offset; ASCII. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(offset: number, record: AppendRecord): void {
    const { key, value, headers } = record;
    this.#records.push({ offset, record });
    this.bytes += this.#prefix.length + FRAME_BYTES + (value.end - value.start);
    this.bytes += headers.end - headers.start + (key === null ? 0 : key.end - key.start);
  }

  /** The records added since the last call. The buffer is good until the next call of any encoder. */
  take(): Buffer {
    const target = scratch(this.bytes);
    let position = 0;
    for (const { offset, record } of this.#records) {
      const { timestamp, key, value, headers } = record;
      const head = `${this.#prefix}${offset},"timestamp":${timestamp},"key":`;
      position += target.write(head, position, "latin1");
      position +=
        key === null ? NO_KEY.copy(target, position) : key.bytes.copy(target, position, key.start, key.end);
      position += VALUE_NAME.copy(target, position);
      position += value.bytes.copy(target, position, value.start, value.end);
      position += HEADERS_NAME.copy(target, position);
      position += headers.bytes.copy(target, position, headers.start, headers.end);
      position += END.copy(target, position);
    }
    this.#records.length = 0;
    this.bytes = 0;
    return target.subarray(0, position);
  }
}

const shared = Buffer.allocUnsafeSlow(512 * 1024);

/** SQLite copies what is bound to a statement, so one buffer serves all chunks. */
function scratch(bytes: number): Buffer {
  if (bytes > shared.length) return Buffer.allocUnsafeSlow(bytes);
  return shared;
}
