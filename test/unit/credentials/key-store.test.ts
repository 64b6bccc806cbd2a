import { beforeEach, expect, test } from "vitest";
import {
  addKey,
  findKey,
  getKey,
  listKeys,
  type NewKey,
  revokeKey,
} from "../../../src/credentials/key-store.ts";
import { memoryDatabase, plansOf, type TestDatabase } from "../../support/sqlite-database.ts";

let database: TestDatabase;
const at = Date.parse("2026-11-26T10:00:00.000Z");

function newKey(id: string, more: Partial<NewKey> = {}): NewKey {
  const sha256 = "ab".repeat(32);
  return { id, sha256, scopes: ["read"], subject: undefined, createdAt: at, createdBy: "root", ...more };
}

beforeEach(() => {
  database = memoryDatabase();
});

test("a key comes back as it was kept", async () => {
  await addKey(database, newKey("app", { scopes: ["bids:write", "read"], subject: "ada" }));
  expect(await findKey(database, "app")).toEqual({
    ...{ id: "app", subject: "ada", isRevoked: false },
    sha256: "ab".repeat(32),
    scopes: new Set(["bids:write", "read"]),
  });
  expect(await findKey(database, "other")).toBeNull();
});

test("an id is given once, also after its key is revoked, and the first revocation stands", async () => {
  expect(await addKey(database, newKey("app"))).toBe(true);
  expect(await addKey(database, newKey("app", { scopes: ["operate"] }))).toBe(false);
  expect(await revokeKey(database, "app", "root", at + 1_000)).toBe(true);
  expect(await revokeKey(database, "app", "other", at + 2_000)).toBe(true);
  expect(await addKey(database, newKey("app"))).toBe(false);
  expect(await revokeKey(database, "other", "root", at)).toBe(false);
  expect(await getKey(database, "app")).toEqual({
    ...{ id: "app", scopes: ["read"], createdAt: "2026-11-26T10:00:00.000Z", createdBy: "root" },
    ...{ revokedAt: "2026-11-26T10:00:01.000Z", revokedBy: "root" },
  });
});

test("keys are listed page by page, by their ids, without their hashes", async () => {
  for (const id of ["c", "a", "b"]) await addKey(database, newKey(id));
  const first = await listKeys(database, { limit: 2 });
  expect(first.keys.map(({ id }) => id)).toEqual(["a", "b"]);
  const rest = await listKeys(database, { limit: 2, after: first.next });
  expect(rest).toEqual({ keys: [expect.objectContaining({ id: "c" })] });
  expect(JSON.stringify([first, rest])).not.toContain("abab");
});

test("a scope that this version does not know gives nothing", async () => {
  await addKey(database, newKey("app"));
  database.sqlite.exec(`UPDATE api_keys SET scopes = '["read","everything"]'`);
  expect((await findKey(database, "app"))?.scopes).toEqual(new Set(["read"]));
});

test("a key is found by its primary key, which reads its row and no other", async () => {
  const plans = await plansOf(database, (watched) => findKey(watched, "app"));
  expect(plans).toEqual(["SEARCH api_keys USING PRIMARY KEY (id=?)"]);
});
