import { errorBody, HttpError, toHttpError } from "./http-error.ts";
import type { Limits } from "./limits.ts";
import type { AppendRecord, AppendResult, EventLog } from "./log.ts";
import { partitionOf } from "./partition-of.ts";
import { type Message, message } from "./validate.ts";

/**
 * Appends a body's messages and answers Upstash's metadata for each, in order.
 *
 * A record that failed has `{"error","status"}` in its place. What fails of one partition is a
 * suffix: behind a record that cannot be written, nothing of the same call goes into its
 * partition, so a client that sends the rest again keeps the order.
 * @throws {HttpError} when nothing was written.
 */
export async function produce(
  log: EventLog,
  limits: Limits,
  body: unknown,
  topic: string | null,
): Promise<string> {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (list.length > limits.maxBatch) {
    throw new HttpError(413, `a produce takes at most ${limits.maxBatch} records`);
  }
  const messages = list.map((value, index) => message(value, topic, Array.isArray(body) ? `[${index}].` : ""));
  const { records, refused } = await admit(log, limits, messages);
  const results = records.length === 0 ? [] : await log.append(records);
  return answer(messages, records, results, refused);
}

/** Chooses partitions where the client has not, and keeps back what may not be written. */
async function admit(log: EventLog, limits: Limits, messages: readonly Message[]) {
  const topics = await log.topics();
  const now = Date.now();
  const refused = new Map<number, HttpError>();
  const blocked = new Set<string>();
  const records: AppendRecord[] = [];
  const unkeyed = Math.floor(Math.random() * 2 ** 31);
  for (const [index, one] of messages.entries()) {
    const count = topics.get(one.topic) ?? 0;
    const partition = one.partition ?? partitionOf(one.key, count, unkeyed);
    const error =
      partition < 0 || partition >= count
        ? new HttpError(404, `unknown topic or partition: ${one.topic}/${partition}`)
        : refusal(one, limits.maxRecordBytes, blocked.size > 0 && blocked.has(`${one.topic}/${partition}`));
    if (error === null) {
      records.push({ ...one, partition, timestamp: one.timestamp ?? now });
    } else {
      refused.set(index, error);
      blocked.add(`${one.topic}/${partition}`);
    }
  }
  return { records, refused };
}

function refusal(one: Message, maxBytes: number, blocked: boolean): HttpError | null {
  if (sizeIsAbove(one, maxBytes)) return new HttpError(413, `a record takes at most ${maxBytes} bytes`);
  if (!blocked) return null;
  return new HttpError(503, "not written: a record before it in its partition failed");
}

/** Counts UTF-8 bytes only where the cheap bound, three for each code unit, does not decide. */
function sizeIsAbove({ key, value, headers }: Message, maxBytes: number): boolean {
  let units = value.length + (key?.length ?? 0);
  for (const header of headers) units += header.key.length + header.value.length;
  if (units * 3 <= maxBytes) return false;
  let bytes = Buffer.byteLength(value) + Buffer.byteLength(key ?? "");
  for (const header of headers) bytes += Buffer.byteLength(header.key) + Buffer.byteLength(header.value);
  return bytes > maxBytes;
}

function answer(
  messages: readonly Message[],
  records: readonly AppendRecord[],
  results: readonly AppendResult[],
  refused: ReadonlyMap<number, HttpError>,
): string {
  let next = 0;
  let first: HttpError | null = null;
  let written = 0;
  const parts = messages.map((one, index) => {
    const outcome = outcomeOf(refused.get(index), results[next]);
    const record = refused.has(index) ? undefined : records[next++];
    if ("error" in outcome) {
      first ??= outcome.error;
      return errorBody(outcome.error);
    }
    written++;
    return `{"topic":${JSON.stringify(one.topic)},"partition":${record?.partition},"offset":${outcome.offset},"timestamp":${outcome.timestamp}}`;
  });
  if (written === 0 && first !== null) throw first;
  return `[${parts.join(",")}]`;
}

function outcomeOf(refused: HttpError | undefined, result: AppendResult | undefined) {
  if (refused !== undefined) return { error: refused };
  if (result === undefined) return { error: new HttpError(503, "the log did not answer") };
  return "failure" in result ? { error: toHttpError(result.failure) } : result;
}
