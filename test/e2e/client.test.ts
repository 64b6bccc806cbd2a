import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createClient } from "../../client/client.ts";
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

const options = { target: "es2022", lib: ["es2022"], module: "nodenext", types: ["node"] };

it("the client's README: its examples compile in an app that has the package, and print what they say", async () => {
  const [auction, following] = [exampleOf("An auction"), exampleOf("Following")];
  expect(auction.printed.split("\n").length).toBeGreaterThan(5);
  expect(following.printed.split("\n").length).toBeGreaterThan(2);
  const { local } = await npmStart({ home: freshHome() });
  const variables = { GAVEL_URL: local.url, GAVEL_KEY: local.keys.backend };
  project.write("auction.ts", auction.code);
  expect(project.compile("auction.ts", options)).toBe("");
  expect(project.run(process.execPath, ["auction.ts"], variables)).toBe(auction.printed);

  project.write("following.ts", following.code);
  expect(project.compile("following.ts", options)).toBe("");
  const gavel = createClient({ url: local.url, credential: local.keys.backend });
  const [item] = (await gavel.items().pages().next()).value?.entries ?? [];
  const itemId = item?.itemId ?? "";
  const { folder } = project;
  const child = spawn(process.execPath, ["following.ts", itemId], {
    cwd: folder,
    env: { ...process.env, ...variables },
  });
  const ended = once(child, "exit");
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await expect.poll(() => printed, { timeout: 20_000 }).toContain("open 1300 lin");
  await gavel.withdraw(itemId);
  await ended;
  expect(printed).toBe(following.printed);
});
