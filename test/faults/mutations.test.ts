/** Proof that the simulation bites: with a safeguard taken out it fails within 100 seeds. */
import { describe, expect, test } from "vitest";
import { loadMutant, mutate, mutations } from "./mutations.ts";
import { runSeeds } from "./seeds.ts";

const withinSeeds = 100;

describe("the simulation notices a partition without", () => {
  for (const mutation of mutations) {
    test(mutation.name, async () => {
      const { failure } = await runSeeds(1, withinSeeds, await loadMutant(mutation));
      console.log(`${mutation.name}\n${failure?.split("\n").slice(0, 2).join("\n")}`);
      expect(failure).not.toBeNull();
    });
  }
});

describe("a mutation", () => {
  test("is refused unless its snippet is there exactly once", () => {
    const mutation = { name: "", file: "file.ts", snippet: "one", replacement: "two" };
    expect(mutate("just one", mutation)).toBe("just two");
    expect(() => mutate("no such text", mutation)).toThrow("0 times");
    expect(() => mutate("one and one", mutation)).toThrow("2 times");
  });
});
