import type { LocalFile } from "../../../local/home.ts";

/** A record as the bridge's `fetch` answers it. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

export const partitionCount = 8;

/** Every record of a topic, by partition, from the first: read over the bridge alone. */
export async function readTopic(bridge: LocalFile["bridge"], topic: string): Promise<LogRecord[][]> {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  return Promise.all(partitions.map((partition) => readPartition(bridge, topic, partition)));
}

async function readPartition(
  bridge: LocalFile["bridge"],
  topic: string,
  partition: number,
): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (;;) {
    const offset = records.length === 0 ? 0 : (records.at(-1)?.offset ?? 0) + 1;
    const run = await fetchRun(bridge, { topic, partition, offset, timeout: 0 });
    if (run.length === 0) return records;
    records.push(...run);
  }
}

async function fetchRun(bridge: LocalFile["bridge"], request: object): Promise<LogRecord[]> {
  const { url, username, password } = bridge;
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  const response = await fetch(`${url}/fetch`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`fetch answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as LogRecord[];
}

export function header(record: LogRecord, name: string): string {
  return record.headers.find(({ key }) => key === name)?.value ?? "";
}

/** What a reader of an output topic takes for new: sequences above the last, per partition. */
export function withoutRepetitions(partition: readonly LogRecord[]): LogRecord[] {
  let last = 0;
  return partition.filter((record) => {
    const sequence = Number(header(record, "gavel_sequence"));
    if (sequence <= last) return false;
    last = sequence;
    return true;
  });
}
