import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { assets, buildAssets } from "../../../scripts/assets/assets.ts";

const parent = mkdtempSync(join(tmpdir(), "gavel-assets-"));
const directory = join(parent, "assets");

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("building the assets", () => {
  test("every asset is made, under its name", async () => {
    await buildAssets(directory);
    expect(readdirSync(directory).toSorted()).toEqual(assets.map(({ name }) => name).toSorted());
    expect(assets.every(({ name }) => statSync(join(directory, name)).size > 0)).toBe(true);
  });

  test("what is no asset any more is removed, and no draft stays", async () => {
    await buildAssets(directory, [{ name: "old.txt", make: () => "old" }]);
    writeFileSync(join(directory, "dropped.txt"), "by hand");
    await buildAssets(directory, [{ name: "new.txt", make: () => Promise.resolve("new") }]);
    expect(readdirSync(directory)).toEqual(["new.txt"]);
    expect(readdirSync(parent)).toEqual(["assets"]);
  });

  test("an asset that is as it was is not written again; one that changed is replaced", async () => {
    const kept = join(directory, "kept.txt");
    await buildAssets(directory, [{ name: "kept.txt", make: () => "same" }]);
    const before = statSync(kept);
    await buildAssets(directory, [{ name: "kept.txt", make: () => "same" }]);
    expect(statSync(kept).ino).toBe(before.ino);
    await buildAssets(directory, [{ name: "kept.txt", make: () => new TextEncoder().encode("other") }]);
    expect(readFileSync(kept, "utf8")).toBe("other");
  });
});
