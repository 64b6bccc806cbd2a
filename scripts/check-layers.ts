/**
 * Layers, followed through everything that a file imports: `npm run layers [-- <root>]`.
 *
 * The linter sees a file's own imports. This sees the rest: a file of the domain that imports a
 * neighbour that imports Hono reaches Hono, and so does one that imports it while it runs.
 */
import { existsSync, globSync } from "node:fs";
import { resolve } from "node:path";
import { build, type Metafile } from "esbuild";

interface Layer {
  readonly folder: string;
  /** Packages, and prefixes that end in a colon. */
  readonly never: readonly string[];
}

const layers: readonly Layer[] = [
  { folder: "src/auction", never: ["hono", "cloudflare:", "@upstash/kafka"] },
  { folder: "src/lib", never: ["hono", "cloudflare:", "@upstash/kafka"] },
  { folder: "durable-objects", never: ["hono"] },
];

/** The only folder that may import the log's client. */
const clientFolder = "src/kafka/";
const client = "@upstash/kafka";

const root = resolve(process.argv[2] ?? ".");
const { inputs } = await importGraph(sources(["src", "durable-objects"]));
const problems = [...layers.flatMap((layer) => reached(layer)), ...strayClients()];
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${Object.keys(inputs).length} files, ${problems.length} layers broken\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

function sources(folders: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(resolve(root, folder)))
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .filter((file) => !file.endsWith(".d.ts"));
}

/** Who imports what, of every file; packages are leaves. Types are erased: they bind nothing. */
async function importGraph(entryPoints: string[]): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    bundle: true,
    packages: "external",
    external: ["cloudflare:*", "node:*"],
    format: "esm",
    metafile: true,
    write: false,
    outdir: "unused",
    logLevel: "error",
  });
  return metafile;
}

/** Every path from a file of the layer to something that it must not reach. */
function reached(layer: Layer): string[] {
  return Object.keys(inputs)
    .filter((file) => file.startsWith(`${layer.folder}/`))
    .flatMap((file) => {
      const path = pathTo(file, (target) => layer.never.some((name) => matches(target, name)));
      return path === null ? [] : [`${layer.folder} must not reach it: ${path.join(" → ")}`];
    });
}

function strayClients(): string[] {
  return Object.entries(inputs)
    .filter(([file]) => !file.startsWith(clientFolder))
    .filter(([, { imports }]) => imports.some(({ path }) => matches(path, client)))
    .map(([file]) => `only ${clientFolder} imports ${client}: ${file}`);
}

/** The shortest chain of imports from `start` to a package that is forbidden, or null. */
function pathTo(start: string, forbidden: (target: string) => boolean): string[] | null {
  const queue: string[][] = [[start]];
  const seen = new Set([start]);
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const { path: target, external } of inputs[path.at(-1) ?? ""]?.imports ?? []) {
      if (external && forbidden(target)) return [...path, target];
      if (external || seen.has(target)) continue;
      seen.add(target);
      queue.push([...path, target]);
    }
  }
  return null;
}

function matches(target: string, name: string): boolean {
  return name.endsWith(":") ? target.startsWith(name) : target === name || target.startsWith(`${name}/`);
}
