import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { StoredTexts } from "../../../durable-objects/replays/stored-text.ts";
import { migrate } from "../../../durable-objects/storage/migrations.ts";
import { conclusionMigrations } from "../../../durable-objects/replays/schema.ts";
import { storageOver } from "../../support/sqlite-storage.ts";

test("a text of any length comes back as it was, in rows of less than 2 MB, and a shorter one leaves none of it", () => {
  const storage = storageOver(new DatabaseSync(":memory:"));
  migrate(storage, conclusionMigrations);
  const texts = new StoredTexts(storage);
  for (const text of ["€".repeat(1_200_000), `x${"🎉".repeat(600_001)}`, "short", ""]) {
    texts.write("one", text);
    texts.write("other", "kept");
    expect(texts.read("one") === text).toBe(true);
    const rows = storage.all<{ bytes: number }>(`SELECT length(CAST(text AS BLOB)) AS bytes FROM texts`);
    expect(Math.max(...rows.map(({ bytes }) => bytes))).toBeLessThan(2_000_000);
  }
  expect(storage.all(`SELECT name FROM texts`)).toHaveLength(2);
  texts.remove("one");
  expect([texts.read("one"), texts.read("other")]).toEqual([undefined, "kept"]);
});
