import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LocalFile } from "../../local/home.ts";
import { freshHome, npmStart } from "./support/home.ts";

const root = join(import.meta.dirname, "..", "..");

/** `npm run gavel -- keys …` against the gateway of a home. */
function keys(
  home: string,
  ...args: readonly string[]
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "cli/main.ts"), "keys", ...args],
    {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, GAVEL_HOME: home, GAVEL_URL: "", GAVEL_KEY: "" },
    },
  );
  return { status, stdout, stderr };
}

const read = ({ url }: LocalFile, key: string): Promise<Response> =>
  fetch(`${url}/v1/stats/cells`, {
    headers: { authorization: `Bearer ${key}`, "cf-connecting-ip": "192.0.2.77" },
  });

test("npm run gavel makes a key that works, lists it, and revokes it; it stays so through a restart", async () => {
  const home = freshHome();
  const gavel = await npmStart({ home });
  const { local } = gavel;
  const made = keys(home, "create", "app", "--scopes", "read");
  expect(made).toMatchObject({ status: 0, stderr: "" });
  const key = made.stdout.trim();
  expect((await read(local, key)).status).toBe(200);
  const again = keys(home, "create", "app", "--scopes", "read");
  expect(again).toMatchObject({ status: 1, stdout: "" });
  expect(again.stderr).toMatch(/^gavel: .+ \(409 key-exists\)\n$/);
  const kept = keys(home, "create", "kept", "--scopes", "read").stdout.trim();
  expect(keys(home, "list").stdout).toMatch(/^app +read .* operator\n/m);
  expect(keys(home, "revoke", "app").status).toBe(0);
  expect((await read(local, key)).status).toBe(401);
  expect(keys(home, "list").stdout).toMatch(/^app .* ago\n/m);
  await gavel.stop();
  const { local: restarted } = await npmStart({ home });
  expect((await read(restarted, key)).status).toBe(401);
  expect((await read(restarted, kept)).status).toBe(200);
});

test("limits are off locally, and those that the environment sets hold", async () => {
  const home = freshHome();
  const free = await npmStart({ home });
  const policies = async ({ local }: { local: LocalFile }) =>
    (await read(local, local.keys.backend)).headers.get("ratelimit-policy");
  expect(await policies(free)).toBeNull();
  await free.stop();
  const environment = { RATE_LIMIT_CREDENTIAL_QUOTA: "20/60", RATE_LIMIT_ADDRESS_QUOTA: "50/60" };
  const limited = await npmStart({ home, environment });
  const { local } = limited;
  // The counters' minutes are the clock's: what is left of this one has to be enough.
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 15_000) await new Promise((resolve) => void setTimeout(resolve, left + 100));
  const answers = [];
  for (let sent = 0; sent < 25; sent += 1) answers.push(await read(local, local.keys.backend));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
  expect(answers.at(-1)?.headers.get("retry-after")).toBe("60");
  expect(answers.at(-1)?.headers.get("ratelimit-policy")).toBe('"credential";q=20;w=60, "address";q=50;w=60');
  expect((await read(local, local.keys.operator)).status).toBe(200);
  await limited.stop();
  // The local counters are on the disk, under names that hold no address.
  const files = readdirSync(join(home, "objects"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  expect(files.some((text) => text.includes("credential backend"))).toBe(true);
  expect(files.some((text) => text.includes("address "))).toBe(true);
  for (const text of files) expect(text).not.toContain("192.0.2.77");
});
