import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** A copy of the code and its lint rules, to plant violations in. */
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "gavel-layers-"));
  for (const path of ["src", "durable-objects", "scripts/lint", ".oxlintrc.json"]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), text);
}

/** The linter as `npm run lint` runs it; layers need no types. */
function lint(...files: string[]): { status: number | null; output: string } {
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  return run([oxlint, "--deny-warnings", "--format", "unix", ...files]);
}

function checkLayers(): { status: number | null; output: string } {
  return run([join(root, "scripts/check-layers.ts"), copy]);
}

function run(args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

const importRule = /no-restricted-imports/;
const variableRule = /variables-only-in-config/;

describe("the linter refuses", () => {
  const violations = [
    ["Hono in the domain", "src/auction/planted.ts", 'export { Hono } from "hono";', importRule],
    ["Hono's parts in the domain", "src/auction/planted.ts", 'export { cors } from "hono/cors";', importRule],
    [
      "Hono's types in the domain",
      "src/auction/planted.ts",
      'export type { Context } from "hono";',
      importRule,
    ],
    ["Hono in the library", "src/lib/planted.ts", 'export { Hono } from "hono";', importRule],
    [
      "the platform in the domain",
      "src/auction/planted.ts",
      'export { DurableObject } from "cloudflare:workers";',
      importRule,
    ],
    [
      "the platform in the library",
      "src/lib/deep/planted.ts",
      'export { connect } from "cloudflare:sockets";',
      importRule,
    ],
    ["Hono in a Durable Object", "durable-objects/planted.ts", 'export { Hono } from "hono";', importRule],
    [
      "the log's client in a route",
      "src/routes/planted.ts",
      'export { Kafka } from "@upstash/kafka";',
      importRule,
    ],
    [
      "the log's client in the domain",
      "src/auction/planted.ts",
      'export { Kafka } from "@upstash/kafka";',
      importRule,
    ],
    [
      "the log's client in the library",
      "src/lib/planted.ts",
      'export { Kafka } from "@upstash/kafka";',
      importRule,
    ],
    [
      "the log's client in a Durable Object",
      "durable-objects/planted.ts",
      'export { Kafka } from "@upstash/kafka";',
      importRule,
    ],
    [
      "a variable read from env",
      "src/routes/planted.ts",
      "export const url = (env: { KAFKA_URL: string }) => env.KAFKA_URL;",
      variableRule,
    ],
    [
      "a variable read by its name's text",
      "src/routes/planted.ts",
      'export const url = (env: { A: string }) => env["A"];',
      variableRule,
    ],
    [
      "a variable read from a request's context",
      "src/routes/planted.ts",
      "export const url = (c: { env: { A: string } }) => c.env.A;",
      variableRule,
    ],
    [
      "a variable taken out of env",
      "src/routes/planted.ts",
      "export const f = (env: { A: string }) => { const { A } = env; return A; };",
      variableRule,
    ],
    [
      "a variable taken out of a parameter",
      "src/routes/planted.ts",
      "export const f = ({ env: { A } }: { env: { A: string } }) => A;",
      variableRule,
    ],
    [
      "a variable in a Durable Object",
      "durable-objects/planted.ts",
      "export class P { env = { A: 1 }; a() { return this.env.A; } }",
      variableRule,
    ],
    ["the process's environment", "src/lib/planted.ts", "export const a = process.env;", variableRule],
    [
      "the platform's global env",
      "src/routes/planted.ts",
      'export { env } from "cloudflare:workers"; import { env as e } from "cloudflare:workers"; export const x = e;',
      variableRule,
    ],
  ] as const;

  test.each(violations)("%s", (_name, file, text, rule) => {
    plant(file, `${text}\n`);
    const { status, output } = lint(file);
    expect(output).toMatch(rule);
    expect(status).toBe(1);
  });
});

describe("the linter allows", () => {
  const allowed = [
    ["the log's client in src/kafka", "src/kafka/planted.ts", 'export { Kafka } from "@upstash/kafka";'],
    ["Hono in a route", "src/routes/planted.ts", 'export { Hono } from "hono";'],
    [
      "the platform in a Durable Object",
      "durable-objects/planted.ts",
      'export { DurableObject } from "cloudflare:workers";',
    ],
    [
      "a binding that is an object",
      "src/routes/planted.ts",
      "export const f = (env: { PARTITIONS: object }) => env.PARTITIONS;",
    ],
  ] as const;

  test.each(allowed)("%s", (_name, file, text) => {
    plant(file, `${text}\n`);
    const { status, output } = lint(file);
    expect(output).toBe("");
    expect(status).toBe(0);
  });
});

describe("the import graph", () => {
  test("holds as the code is", () => {
    const { status, output } = checkLayers();
    expect(output).toMatch(/ 0 layers broken\n$/);
    expect(status).toBe(0);
  });

  const violations = [
    ["the domain reaches Hono through a neighbour", "src/auction/planted.ts", "hono"],
    ["the library reaches the platform through a neighbour", "src/lib/planted.ts", "cloudflare:workers"],
    ["a Durable Object reaches Hono through a neighbour", "durable-objects/planted.ts", "hono/cors"],
  ] as const;

  test.each(violations)("fails when %s", (_name, file, target) => {
    plant("src/neighbour.ts", `export * from "${target}";\n`);
    const up = file.startsWith("src/") ? ".." : "../src";
    plant(file, `export * from "${up}/neighbour.ts";\n`);
    const { status, output } = checkLayers();
    expect(output).toContain(`${file} → src/neighbour.ts → ${target}`);
    expect(status).toBe(1);
  });

  test("fails when a file outside src/kafka imports the log's client while it runs", () => {
    plant("src/routes/planted.ts", 'export const client = () => import("@upstash/kafka");\n');
    const { status, output } = checkLayers();
    expect(output).toContain("only src/kafka/ imports @upstash/kafka: src/routes/planted.ts");
    expect(status).toBe(1);
  });
});
