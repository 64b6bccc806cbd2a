import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Condition, filteredEvent, filterSchema, matches } from "../../../src/functions/filter.ts";
import { issuesFromZod } from "../../../src/ingest/issues.ts";

const type = "gavel.item.completed.v1";
const data = {
  category: "cars",
  price: 1200,
  sold: true,
  reserve: null,
  attributes: { year: 2018, "make.model": "x" },
  bids: [{ amount: 5 }],
};

function selects(condition: Condition, value: unknown = data): boolean {
  return matches({ all: [condition] }, filteredEvent(type, JSON.stringify(value)));
}

describe("a filter selects", () => {
  test("every event where it names nothing", () => {
    expect(matches({}, filteredEvent(type, "{}"))).toBe(true);
    expect(matches({ types: [], all: [] }, filteredEvent(type, "no json"))).toBe(true);
  });

  test("one of its types, whose data it does not parse", () => {
    const event = {
      type,
      data: () => {
        throw new Error("the data was asked for");
      },
    };
    expect(matches({ types: ["gavel.bid.placed.v1", type] }, event)).toBe(true);
    expect(matches({ types: ["gavel.bid.placed.v1"], all: [{ field: "a", exists: true }] }, event)).toBe(
      false,
    );
  });

  test("what meets every condition", () => {
    const cars = { field: "category", equals: "cars" };
    const recent = { field: "attributes.year", from: 2018 };
    const event = filteredEvent(type, JSON.stringify(data));
    expect(matches({ types: [type], all: [cars, recent] }, event)).toBe(true);
    expect(matches({ types: [type], all: [cars, { field: "price", to: 5 }] }, event)).toBe(false);
  });
});

describe("a condition is met", () => {
  test.each<[string, Condition]>([
    ["by an equal text", { field: "category", equals: "cars" }],
    ["by an equal number", { field: "price", equals: 1200 }],
    ["by an equal boolean", { field: "sold", equals: true }],
    ["by null", { field: "reserve", equals: null }],
    ["by a prefix", { field: "category", prefix: "ca" }],
    ["by the whole text as its prefix", { field: "category", prefix: "cars" }],
    ["by a number in a range", { field: "price", from: 1000, to: 2000 }],
    ["by both ends of a range", { field: "price", from: 1200, to: 1200 }],
    ["by a number above an open range", { field: "attributes.year", from: 2018 }],
    ["by a number below an open range", { field: "attributes.year", to: 2018 }],
    ["by a field that is there, though it is null", { field: "reserve", exists: true }],
    ["by a field that is not there", { field: "attributes.colour", exists: false }],
    ["by a path that ends in a scalar", { field: "category.name", exists: false }],
  ])("%s", (_, condition) => {
    expect(selects(condition)).toBe(true);
  });

  test.each<[string, Condition]>([
    ["by another type of the same look", { field: "price", equals: "1200" }],
    ["by a text in other case", { field: "category", equals: "Cars" }],
    ["by an absent field that is compared with null", { field: "colour", equals: null }],
    ["by an object, whatever it is compared with", { field: "attributes", equals: "[object Object]" }],
    ["by a prefix of what is no text", { field: "price", prefix: "12" }],
    ["by a number below a range", { field: "price", from: 1201 }],
    ["by a number above a range", { field: "price", to: 1199 }],
    ["by a text in a range, since a range is of numbers", { field: "category", from: 0 }],
    ["by null in a range", { field: "reserve", from: -1, to: 1 }],
    ["by a boolean in a range", { field: "sold", from: 0, to: 1 }],
    ["by a field that is not there", { field: "colour", exists: true }],
    ["by a place in a list", { field: "bids.0.amount", exists: true }],
    ["by a list's length", { field: "bids.length", exists: true }],
    ["by a text's length", { field: "category.length", exists: true }],
    ["by a name that holds a dot", { field: "attributes.make.model", exists: true }],
  ])("not %s", (_, condition) => {
    expect(selects(condition)).toBe(false);
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "__proto__.constructor"])(
    "by a field %s only where the data has one of its own",
    (field) => {
      expect(selects({ field, exists: true })).toBe(false);
      expect(
        matches({ all: [{ field: "__proto__", equals: 1 }] }, filteredEvent(type, '{"__proto__":1}')),
      ).toBe(true);
    },
  );

  test.each(["", "no json", "{", '{"a":1} trailing'])("by no value that is not JSON: %j", (value) => {
    for (const condition of [
      { field: "a", exists: false },
      { field: "a", exists: true },
      { field: "a", equals: null },
      { field: "a", from: 0 },
    ]) {
      expect(matches({ all: [condition] }, filteredEvent(type, value))).toBe(false);
    }
  });

  test("by JSON that is no object only as an absent field", () => {
    for (const value of [null, 5, "text", [1]]) {
      expect(selects({ field: "a", exists: true }, value)).toBe(false);
      expect(selects({ field: "a", exists: false }, value)).toBe(true);
    }
  });
});

test("data is parsed once, whatever number of conditions and filters asks for it", () => {
  const event = filteredEvent(type, '{"a":{"b":1}}');
  expect(event.data()).toBe(event.data());
  expect(event.data()).toEqual({ a: { b: 1 } });
});

test("whatever JSON an event holds, a filter answers, and a field and its absence exclude each other", () => {
  const names = fc.constantFrom("a", "b", "__proto__", "constructor", "length", "0");
  const paths = fc.array(names, { minLength: 1, maxLength: 8 }).map((parts) => parts.join("."));
  fc.assert(
    fc.property(fc.json(), paths, (json, field) => {
      const event = filteredEvent(type, json);
      const isThere = matches({ all: [{ field, exists: true }] }, event);
      expect(matches({ all: [{ field, exists: false }] }, event)).toBe(!isThere);
    }),
  );
});

describe("somebody who subscribes", () => {
  const faultsOf = (filter: unknown) => {
    const result = filterSchema.safeParse(filter);
    return result.success
      ? []
      : issuesFromZod(result.error.issues, filter, "/filter").map(
          ({ pointer, code }) => `${pointer} ${code}`,
        );
  };
  const many = <Entry>(count: number, entry: Entry): Entry[] => Array.from({ length: count }, () => entry);

  test.each([
    [{}],
    [{ types: [type] }],
    [{ types: many(20, type), all: many(20, { field: "a", exists: true }) }],
    [{ all: [{ field: "a.b.c.d.e.f.g.h", equals: null }] }],
    [{ all: [{ field: "x".repeat(200), prefix: "y" }] }],
    [{ all: [{ field: "a", from: 1, to: 1 }] }],
    [{ all: [{ field: "a", to: -5.5 }] }],
    [{ all: [{ field: "a", equals: "" }] }],
    [{ all: [{ field: "a", equals: false }] }],
  ])("may ask for %j, and gets it back unchanged", (filter) => {
    expect(faultsOf(filter)).toEqual([]);
    expect(filterSchema.parse(filter)).toEqual(filter);
  });

  test.each<[string, unknown, string[]]>([
    ["a field that is not known", { kinds: [] }, ["/filter/kinds unknown-field"]],
    ["no list of types", { types: type }, ["/filter/types invalid-type"]],
    ["an empty list", { types: [] }, ["/filter/types invalid-format"]],
    ["too many types", { types: many(21, type) }, ["/filter/types too-many"]],
    ["an empty type", { types: [""] }, ["/filter/types/0 too-short"]],
    ["a type that is too long", { types: ["x".repeat(257)] }, ["/filter/types/0 too-long"]],
    ["too many conditions", { all: many(21, { field: "a", exists: true }) }, ["/filter/all too-many"]],
    ["a condition without a field", { all: [{ exists: true }] }, ["/filter/all/0/field required"]],
    ["a condition without a test", { all: [{ field: "a" }] }, ["/filter/all/0 invalid-format"]],
    ["two tests", { all: [{ field: "a", equals: 1, exists: true }] }, ["/filter/all/0 invalid-format"]],
    ["a test and a range", { all: [{ field: "a", prefix: "b", to: 1 }] }, ["/filter/all/0 invalid-format"]],
    [
      "a test that is not known",
      { all: [{ field: "a", exists: true, not: 1 }] },
      ["/filter/all/0/not unknown-field"],
    ],
    [
      "a range that ends before it begins",
      { all: [{ field: "a", from: 2, to: 1 }] },
      ["/filter/all/0 invalid-format"],
    ],
    ["a range of texts", { all: [{ field: "a", from: "1" }] }, ["/filter/all/0/from invalid-type"]],
    [
      "an object to compare with",
      { all: [{ field: "a", equals: {} }] },
      ["/filter/all/0/equals invalid-type"],
    ],
    [
      "a long text to compare with",
      { all: [{ field: "a", equals: "x".repeat(1001) }] },
      ["/filter/all/0/equals too-long"],
    ],
    ["an empty prefix", { all: [{ field: "a", prefix: "" }] }, ["/filter/all/0/prefix too-short"]],
    [
      "a path that is too long",
      { all: [{ field: "x".repeat(201), exists: true }] },
      ["/filter/all/0/field too-long"],
    ],
    [
      "a path of nine names",
      { all: [{ field: "a.b.c.d.e.f.g.h.i", exists: true }] },
      ["/filter/all/0/field invalid-format"],
    ],
    [
      "a path with an empty name",
      { all: [{ field: "a..b", exists: true }] },
      ["/filter/all/0/field invalid-format"],
    ],
    [
      "half of a surrogate pair",
      { all: [{ field: "\ud800", exists: true }] },
      ["/filter/all/0/field not-unicode"],
    ],
  ])("may not ask for %s", (_, filter, faults) => {
    expect(faultsOf(filter)).toEqual(faults);
  });
});
