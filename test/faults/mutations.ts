/**
 * Copies of the product with one safeguard taken out, which the simulation has to notice. A
 * mutation replaces one snippet of one file that must be there exactly once, so that a change of
 * the product cannot leave it without effect.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import type { CoreConstructor } from "./object-host.ts";

export interface Mutation {
  /** The safeguard that is taken out. */
  readonly name: string;
  /** From the repository's root. */
  readonly file: string;
  readonly snippet: string;
  readonly replacement: string;
}

export const mutations: readonly Mutation[] = [
  {
    name: "the contiguity check: early records are applied as they come",
    file: "durable-objects/log-reader.ts",
    snippet: "    if (this.arrivals.has(position)) {\n",
    replacement: `    if (this.arrivals.size > 0) {
      const early = [...this.arrivals.records.values()].sort((one, other) => one.offset - other.offset);
      this.arrivals.records.clear();
      await this.host.take(early);
      return true;
    }
    if (this.arrivals.has(position)) {
`,
  },
  {
    name: "the dedupe of events: a repeated event is judged anew",
    file: "src/auction/judge.ts",
    snippet: "    if (tellsRepetitions(item, cause.streamTime)) {",
    replacement: "    if (false) {",
  },
  {
    name: "the trail of what had waited: its outcome is told of the record that had it judged",
    file: "durable-objects/trail/transaction.ts",
    snippet: 'if (topic === "items" || offset === this.offsets[this.current]) {',
    replacement: "if (true) {",
  },
  {
    name: "the trail of outputs: they are told of the record behind the one that decided them",
    file: "durable-objects/trail/transaction.ts",
    snippet: "(offsets[index] ?? 0) < offset)) {",
    replacement: "(offsets[index] ?? 0) <= offset)) {",
  },
  {
    name: "the outbox order: a produce has its outputs in another one",
    file: "durable-objects/outbox-sender.ts",
    snippet: "    await this.produce(topic, slice.records, (count) => {",
    replacement: "    await this.produce(topic, slice.records.toReversed(), (count) => {",
  },
  {
    name: "the outbox order: several produces in flight",
    file: "durable-objects/outbox-sender.ts",
    snippet: "      if (this.sending.has(topic) || this.host.outbox()",
    replacement: "      if (this.host.outbox()",
  },
  {
    name: "the sequence drop: outputs from before a wipe are sent again",
    file: "durable-objects/recovery.ts",
    snippet: 'Math.max(found.sequence, Number(header("gavel_sequence")))',
    replacement: "0",
  },
  {
    name: "the relay's dedupe: an opening appended twice is applied twice",
    file: "src/auction/reducer.ts",
    snippet: "    if (opening.itemsOffset <= state.openedItemsOffset) return;",
    replacement: "",
  },
  {
    name: "a fetch's word on gaps: what is missing before an early record is passed over",
    file: "durable-objects/log-reader.ts",
    snippet: "    if (!this.toTheEnd && !this.arrivals.hasBehind(position)) return false;\n",
    replacement: `    const early = [...this.arrivals.records.keys()].filter((offset) => offset > position);
    if (early.length > 0) {
      this.host.skipTo(Math.min(...early));
      return true;
    }
    if (!this.toTheEnd) return false;
`,
  },
  {
    name: "the move over trailing markers: the log's end is never reached",
    file: "durable-objects/log-reader.ts",
    snippet: "    if (this.host.position() === reached && next > reached) this.host.skipTo(next);\n",
    replacement: "",
  },
  {
    name: "the comparison of topic ids: a topic made again is read on",
    file: "durable-objects/topic-identities.ts",
    snippet: "    } else if (topicId !== known.id) {",
    replacement: "    } else if (false) {",
  },
  {
    name: "the event of what the log deleted from the journal",
    file: "durable-objects/journal-state.ts",
    snippet: "      store.emit(gapEvent(gap, { group, partition }, clock.now(), null));\n",
    replacement: "",
  },
  {
    name: "the event of what the log deleted from the items",
    file: "durable-objects/relay.ts",
    snippet: "      const gap = items.length === 0 ? this.gap : undefined;",
    replacement: "      const gap = undefined;",
  },
  {
    name: "the end of counting: over lost history new outputs pass for sent ones",
    file: "durable-objects/journal-state.ts",
    snippet: "      this.sentBefore.loseCount(gap.from, state.sequences);\n",
    replacement: "",
  },
  {
    name: "the place of what was sent: over lost history outputs are sent again",
    file: "durable-objects/sent-before.ts",
    snippet: "  return byPlace ? place : null;",
    replacement: "  return null;",
  },
];

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The partition with a mutation. */
export async function loadMutant(mutation: Mutation): Promise<CoreConstructor> {
  const entry = "durable-objects/partition-core.ts";
  return (await loadMutated<{ readonly PartitionCore: CoreConstructor }>(entry, mutation)).PartitionCore;
}

/** Builds a mutated module outside the repository, loads it, and removes what it built. @param entry from the root */
export async function loadMutated<Loaded>(entry: string, mutation: Mutation): Promise<Loaded> {
  const bundle = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "silent",
    plugins: [mutating(entry, mutation)],
  });
  const folder = await mkdtemp(join(tmpdir(), "gavel-mutant-"));
  try {
    const file = join(folder, "mutant.mjs");
    await writeFile(file, bundle.outputFiles[0]?.contents ?? "");
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Loaded;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function mutating(entry: string, mutation: Mutation): Plugin {
  const path = join(root, mutation.file);
  return {
    name: "mutation",
    setup(bundler) {
      let isApplied = false;
      bundler.onLoad({ filter: /\.ts$/ }, async (file) => {
        if (file.path !== path) return null;
        isApplied = true;
        return { contents: mutate(await readFile(path, "utf8"), mutation), loader: "ts" };
      });
      bundler.onEnd(() => {
        if (!isApplied) throw new Error(`${mutation.file} is no part of ${entry}`);
      });
    },
  };
}

export function mutate(source: string, { file, snippet, replacement }: Mutation): string {
  const found = source.split(snippet).length - 1;
  if (found !== 1) throw new Error(`${file} has the snippet ${found} times: ${snippet.trim()}`);
  // A function, since a replacement text may hold what `replace` takes for a pattern.
  return source.replace(snippet, () => replacement);
}
