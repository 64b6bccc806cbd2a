import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClientProject } from "../../support/client-project.ts";

const project = new ClientProject();
beforeAll(() => project.install(), 120_000);
afterAll(() => project.remove());

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

function compile(options: object): string {
  project.write("app.ts", consumer);
  return project.compile("app.ts", options);
}

describe("the packed client", () => {
  test("is one module that imports nothing, small, and runs in plain Node", () => {
    const code = readFileSync(project.module, "utf8");
    expect(code).not.toMatch(/^\s*(?:import|export .* from)\b|\bimport\(|\brequire\(/m);
    expect(code.length).toBeLessThan(40_000);
    project.write(
      "app.mjs",
      `import { createClient, GavelProblem } from "gavel/client";
       const client = createClient({ url: "http://127.0.0.1:9", credential: "key", attempts: 1 });
       const error = await client.item("lamp-1").catch((reason) => reason);
       console.log(error instanceof GavelProblem, error.code, Object.keys(client).length > 8);`,
    );
    expect(project.run(process.execPath, ["app.mjs"])).toBe("true network-failure true\n");
  });

  test("type-checks in an app for browsers that has neither zod nor the Workers' types", () => {
    const browser = { target: "es2022", module: "esnext", moduleResolution: "bundler", types: [] };
    expect(compile(browser)).toBe("");
    const strict = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
    expect(compile({ ...browser, ...strict })).toBe("");
  });

  test("type-checks in an app for Node, without the browser's library", () => {
    project.installNodeTypes();
    const node = { target: "es2022", lib: ["es2022"], module: "nodenext", types: ["node"] };
    expect(compile(node)).toBe("");
  });
});
