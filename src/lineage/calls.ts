import type { CallRecord, FunctionGroupRpc } from "../../durable-objects/functions/rpc.ts";
import type { LogRecord } from "../kafka/port.ts";
import type { Clock } from "../lib/clock.ts";
import { Problem } from "../lib/problem.ts";
import type { GroupObjects } from "../partitions.ts";
import type { TopicRole } from "../topics.ts";

/** Longest wait for a group, in milliseconds. */
const longestMs = 2_000;

/** One function, and what it did with one record. */
export interface Invoked {
  readonly group: string;
  readonly partition: number;
  /** Absent where the group did not answer. */
  readonly function?: string;
  /** Id of the event that it was called with. */
  readonly event: string;
  readonly status: CallRecord["status"] | "unknown";
  readonly attempts?: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** A record that functions may have been called with. */
export interface CalledWith {
  readonly role: TopicRole;
  readonly record: Pick<LogRecord, "partition" | "offset">;
  readonly id: string;
}

/** Groups of functions by name, those that read a topic. */
export type ReadersOf = (
  topic: TopicRole,
) => readonly { readonly group: string; readonly objects: GroupObjects<FunctionGroupRpc> }[];

/**
 * Asks every group that reads the records' topics what its functions did with them. A group that does
 * not answer keeps no other's answer back.
 */
export async function callsWith(
  clock: Clock,
  readersOf: ReadersOf,
  records: readonly CalledWith[],
): Promise<Invoked[]> {
  const byRole = Map.groupBy(records, ({ role }) => role);
  const rest = new AbortController();
  const late = clock.sleep(longestMs, rest.signal).then(() => undefined);
  const asked = [...byRole].flatMap(([role, ofRole]) =>
    readersOf(role).map(async ({ group, objects }) => {
      const calls = await Promise.race([ask(group, objects, ofRole), late]);
      return calls ?? ofRole.map((record) => unknownCall(group, record));
    }),
  );
  try {
    return (await Promise.all(asked)).flat();
  } finally {
    rest.abort();
  }
}

function unknownCall(group: string, { id, record: { partition } }: CalledWith): Invoked {
  return { group, partition, event: id, status: "unknown" };
}

/** Undefined where the group does not answer. */
async function ask(
  group: string,
  objects: GroupObjects<FunctionGroupRpc>,
  records: readonly CalledWith[],
): Promise<Invoked[] | undefined> {
  const [first] = records;
  if (first === undefined) return [];
  const { partition } = first.record;
  const idAt = new Map(records.map(({ record, id }) => [record.offset, id]));
  try {
    const calls = await objects.call(partition, (object) => object.callsOf([...idAt.keys()]));
    return calls.map(({ offset, ...call }) => ({ group, partition, event: idAt.get(offset) ?? "", ...call }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return undefined;
  }
}
