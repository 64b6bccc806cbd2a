import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type GavelProcess, startGavelProcess } from "../../../local/gavel-process.ts";
import { topics } from "../../../src/topics.ts";
import { type ItemAnswer, send } from "../../e2e/support/http.ts";
import { storedDigests } from "../../support/stored-digests.ts";
import { type Ends, endsOf } from "./brokers.ts";

const patienceMs = 120_000;

/** What of a system can be compared with itself after a rebuild. */
interface Picture {
  /** Digest of each object's storage, by the name of its file. */
  readonly digests: ReadonlyMap<string, string>;
  /** Where the topics end that group auction writes or reads: whatever is sent again shows. */
  readonly ends: Ends;
  readonly items: ReadonlyMap<string, object>;
}

export interface Rebuild {
  readonly before: Picture;
  readonly after: Picture;
  /** Records of the journal and of the items. */
  readonly records: number;
  /** From the ready system to the last record applied, in milliseconds. */
  readonly tookMs: number;
}

export interface RebuildOptions {
  readonly home: string;
  readonly bootstrap: readonly string[];
  /** Ended when the storage is wiped. */
  readonly gavel: GavelProcess;
  /** Every item, as it was answered last. */
  readonly items: ReadonlyMap<string, object>;
}

/** Takes all objects' storage away from a Gavel, and lets it find its state in the log again. */
export async function rebuild({ home, bootstrap, gavel, items }: RebuildOptions): Promise<Rebuild> {
  // Group enrich knows of its outputs by its position alone: after a wipe it writes them again, under
  // their ids (docs/enrich.md).
  const names = Object.values(topics).filter((name) => name !== topics.validated);
  const objects = join(home, "objects");
  await gavel.stop();
  const before = {
    digests: await storedDigests(objects),
    ends: await endsOf(bootstrap, names),
    items: known(items),
  };
  rmSync(objects, { recursive: true });
  const again = await startGavelProcess({ home, kafka: bootstrap });
  const startedAt = Date.now();
  let rebuilt: ReadonlyMap<string, object>;
  let tookMs: number;
  try {
    rebuilt = await untilSame(again, before.items);
    tookMs = Date.now() - startedAt;
  } finally {
    await again.stop();
  }
  const after = {
    digests: await storedDigests(objects),
    ends: await endsOf(bootstrap, names),
    items: rebuilt,
  };
  const records = [topics.items, topics.journal].flatMap((name) => before.ends[name] ?? []);
  return { before, after, records: records.reduce((sum, end) => sum + end, 0), tookMs };
}

/** Waits until the items are answered as they were. @returns how they are answered at the end of patience. */
async function untilSame(
  { local }: GavelProcess,
  expected: ReadonlyMap<string, object>,
): Promise<ReadonlyMap<string, object>> {
  const deadline = Date.now() + patienceMs;
  const answers = new Map<string, object>();
  for (const [itemId, item] of expected) {
    for (;;) {
      const { body } = await send<ItemAnswer>(`${local.url}/v1/items/${itemId}`, local.keys.backend);
      answers.set(itemId, withoutReading(body));
      if (isDeepStrictEqual(answers.get(itemId), item) || Date.now() > deadline) break;
      await sleep(50);
    }
  }
  return answers;
}

function known(items: ReadonlyMap<string, object>): ReadonlyMap<string, object> {
  return new Map([...items].map(([itemId, answer]) => [itemId, withoutReading(answer)]));
}

/** Where and when it was read belongs to the reading, not to the item. */
function withoutReading(answer: object): object {
  return { ...answer, position: undefined, asOf: undefined };
}
