import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ClientProject } from "../support/client-project.ts";
import { freshHome, npmStart } from "./support/home.ts";

const project = new ClientProject();
beforeAll(() => {
  project.install();
  project.installNodeTypes();
}, 120_000);
afterAll(() => project.remove());

/** A section's code and what is printed under it. */
function exampleOf(heading: string): { readonly code: string; readonly printed: string } {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "client", "README.md"), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const [, code = ""] = /^```ts\n([^]*?)^```$/m.exec(section) ?? [];
  const [, printed = ""] = /^```text\n([^]*?)^```$/m.exec(section) ?? [];
  return { code, printed };
}

it("the client's README: its example compiles in an app that has the package, and prints what it says", async () => {
  const { code, printed } = exampleOf("An auction");
  expect(printed.split("\n").length).toBeGreaterThan(5);
  project.write("auction.ts", code);
  const options = { target: "es2022", lib: ["es2022"], module: "nodenext", types: ["node"] };
  expect(project.compile("auction.ts", options)).toBe("");
  const { local } = await npmStart({ home: freshHome() });
  const variables = { GAVEL_URL: local.url, GAVEL_KEY: local.keys.backend };
  expect(project.run(process.execPath, ["auction.ts"], variables)).toBe(printed);
});
