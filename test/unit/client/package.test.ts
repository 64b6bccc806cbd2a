import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
);

/** A project of somebody else that has the packed client, and nothing else of Gavel's. */
const project = mkdtempSync(join(tmpdir(), "gavel-client-"));
const installed = join(project, "node_modules", "gavel");

function run(command: string, args: readonly string[], cwd = project): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

beforeAll(() => {
  run("npm", ["pack", "--silent", "--pack-destination", project], root);
  mkdirSync(installed, { recursive: true });
  run("tar", ["-xzf", "gavel-0.1.0.tgz", "--strip-components=1", "-C", installed]);
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** What an app writes, with a use of every kind of answer. */
const consumer = `
import { createClient, GavelProblem, type Accepted, type Client, type ItemState } from "gavel/client";

export async function bid(client: Client): Promise<number> {
  const accepted: Accepted = await client.placeBid(
    { itemId: "lamp-1", bidderId: "lin", amount: 1100, currency: "EUR" },
    { waitSeconds: 5 },
  );
  if (accepted.outcome?.reason === "too-low") return 0;
  const item: ItemState = await client.item("lamp-1", { after: accepted });
  for await (const { amount } of client.bids("lamp-1")) if (amount > 5) break;
  for await (const { entries, next } of client.items({ sort: "newest" }).pages()) console.log(entries.length, next);
  const { results } = await client.placeBids([]);
  for (const result of results) console.log("code" in result ? result.code : result.offset);
  return item.highest?.amount ?? 0;
}

export const client = createClient({ url: "https://gavel.example.com", credential: async () => "token", fetch });

export function isLate(error: unknown): boolean {
  return error instanceof GavelProblem && (error.code === "log-timeout" || error.code === "timeout");
}

// @ts-expect-error an amount is no text
void client.placeBid({ itemId: "lamp-1", bidderId: "lin", amount: "1100", currency: "EUR" });
// @ts-expect-error no such code
export const isNoCode = (problem: GavelProblem): boolean => problem.code === "too-late";
`;

/** What the compiler has to say, which is nothing where all is well. */
function compile(name: string, options: object): string {
  writeFileSync(join(project, "app.ts"), consumer);
  const config = {
    compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, ...options },
    files: ["app.ts"],
  };
  writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify(config));
  return run(process.execPath, [compiler, "-p", `tsconfig.${name}.json`]);
}

describe("the packed client", () => {
  test("is one module that imports nothing, small, and runs in plain Node", () => {
    const code = readFileSync(join(installed, "dist", "client", "index.js"), "utf8");
    expect(code).not.toMatch(/^\s*(?:import|export .* from)\b|\bimport\(|\brequire\(/m);
    expect(code.length).toBeLessThan(40_000);
    writeFileSync(
      join(project, "app.mjs"),
      `import { createClient, GavelProblem } from "gavel/client";
       const client = createClient({ url: "http://127.0.0.1:9", credential: "key", attempts: 1 });
       const error = await client.item("lamp-1").catch((reason) => reason);
       console.log(error instanceof GavelProblem, error.code, Object.keys(client).length > 8);`,
    );
    expect(run(process.execPath, ["app.mjs"])).toBe("true network-failure true\n");
  });

  test("type-checks in an app for browsers that has neither zod nor the Workers' types", () => {
    const browser = { target: "es2022", module: "esnext", moduleResolution: "bundler", types: [] };
    expect(compile("browser", browser)).toBe("");
    const strict = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
    expect(compile("strict", { ...browser, ...strict })).toBe("");
  });

  test("type-checks in an app for Node, without the browser's library", () => {
    mkdirSync(join(project, "node_modules", "@types"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      cpSync(join(root, "node_modules", name), join(project, "node_modules", name), { recursive: true });
    }
    const node = { target: "es2022", lib: ["es2022"], module: "nodenext", types: ["node"] };
    expect(compile("node", node)).toBe("");
  });
});
