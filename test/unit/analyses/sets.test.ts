import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AnalysedSets,
  analysisIdOf,
  checkAnalysed,
  type Classified,
  parseAnalysisId,
  setsOf,
} from "../../../src/functions/market-analysis/sets.ts";

const analysesOf = (auction: Classified, analysed: readonly AnalysedSets[]): string[] =>
  setsOf(auction, analysed).map(analysisIdOf);

const byYear = { category: "cars", attribute: "year" };

describe("an auction", () => {
  test("is in the set of its category, and in one for each attribute that is declared and that it has", () => {
    const declared = [{ category: "*" }, byYear, { category: "*", attribute: "colour" }];
    const attributes = { year: 2018, colour: "red", doors: 4 };
    expect(analysesOf({ category: "cars", attributes }, declared)).toEqual([
      "cars",
      "cars:year=2018",
      "cars:colour=red",
    ]);
    expect(analysesOf({ category: "lamps", attributes }, declared)).toEqual(["lamps", "lamps:colour=red"]);
    expect(analysesOf({ category: "lamps" }, [byYear])).toEqual([]);
  });

  test("is in one set whether its attribute is a text or a number that is written so", () => {
    const idOf = (year: unknown) => analysesOf({ category: "cars", attributes: { year } }, [byYear]);
    expect(idOf("2018")).toEqual(idOf(2018));
    expect(idOf(true)).toEqual(["cars:year=true"]);
  });

  test.each([null, undefined, "", "x".repeat(101), {}])("is in no set of an attribute that is %j", (year) => {
    expect(analysesOf({ category: "cars", attributes: { year } }, [byYear])).toEqual([]);
  });

  test("has no attribute that every object has", () => {
    const declared = [{ category: "cars", attribute: "constructor" }];
    expect(analysesOf({ category: "cars", attributes: {} }, declared)).toEqual([]);
  });
});

describe("an id", () => {
  const set = fc.record({
    category: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/),
    attribute: fc.record({
      name: fc.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/),
      value: fc.string({ unit: "binary", minLength: 1, maxLength: 50 }),
    }),
  });

  test("tells its set, whatever the value is", () => {
    fc.assert(
      fc.property(set, (one) => {
        expect(parseAnalysisId(analysisIdOf(one))).toEqual(one);
        expect(parseAnalysisId(one.category)).toEqual({ category: one.category });
      }),
    );
  });

  test.each(["", "Cars", "cars:", "cars:year", "cars:year=", "cars:=2018", 'cars:a"b=1', "cars:a b=1"])(
    "is not %j",
    (id) => {
      expect(parseAnalysisId(id)).toBeNull();
    },
  );
});

test.each([
  { category: "Cars" },
  { category: "cars", attribute: 'a"b' },
  { category: "cars", attribute: "" },
])("a declaration that cannot be meant is refused: %j", (declaration) => {
  expect(() => checkAnalysed([declaration])).toThrow(TypeError);
});
