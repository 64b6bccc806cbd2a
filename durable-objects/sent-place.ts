import type { OutputCause } from "../src/auction/state.ts";

/** How far the outputs in a topic come: the record of the journal that decided the last one, and which of its outputs. */
export interface SentPlace extends OutputCause {
  /** Of a fan-out: how many of its outputs; 0 for an output of its own. */
  readonly index: number;
}

/**
 * Reads the place out of an output's id: `{offset}/{count}`, of a fan-out `{offset}/{count}/{index}`,
 * of a gap `{from}-{to}/gap`, behind the journal's topic and partition. Null for another id, such as
 * a gap's in the items.
 */
export function placeOf(id: string, prefix: string): SentPlace | null {
  if (!id.startsWith(prefix)) return null;
  const own = id.slice(prefix.length);
  const [, offset, count, index] = /^(\d+)\/(\d+)(?:\/(\d+))?$/.exec(own) ?? [];
  if (offset !== undefined)
    return { offset: Number(offset), count: Number(count), index: Number(index ?? 0) };
  const [, to] = /^\d+-(\d+)\/gap$/.exec(own) ?? [];
  // Whatever came before the gap had been decided before it was met.
  return to === undefined ? null : { offset: Number(to) - 1, count: Number.MAX_SAFE_INTEGER, index: 0 };
}

/** How many outputs of a decision, from its first, lie up to the place: none, all, or of a fan-out some. */
export function sentOf(cause: OutputCause | null, outputs: number, last: SentPlace | null): number {
  if (cause === null || last === null) return 0;
  const difference = cause.offset - last.offset || cause.count - last.count;
  if (difference !== 0) return difference < 0 ? outputs : 0;
  return last.index === 0 ? outputs : Math.min(last.index, outputs);
}
