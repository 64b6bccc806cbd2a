import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, parseNdjson } from "../../../src/ingest/json.ts";
import { Problem } from "../../../src/lib/problem.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return "none";
}

describe("parseJson", () => {
  test("reads every document that has no duplicate keys as the platform does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test("refuses an object with a key twice, wherever it is", () => {
    const place = fc.array(fc.constantFrom("object", "array"), { maxLength: 5 });
    const key = fc.string({ unit: "grapheme", maxLength: 10 });
    fc.assert(
      fc.property(place, key, fc.jsonValue({ maxDepth: 1 }), (around, name, value) => {
        const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
        const text = around.reduce(
          (inner, kind) => (kind === "object" ? `{"around":${inner},"more":[]}` : `[1,${inner},"x:y"]`),
          `{${member},${member}}`,
        );
        expect(codeOf(() => parseJson(bytes(text)))).toBe("duplicate-key");
      }),
    );
  });

  test.each([
    ["a key escaped differently", String.raw`{"a":1,"\u0061":2}`],
    ["__proto__", '{"__proto__":1,"__proto__":2}'],
    ["an index", '{"1":1,"2":2,"1":3}'],
    ["a null in front", '{"a":null,"a":1}'],
  ])("knows a duplicate in the guise of %s", (_, text) => {
    expect(codeOf(() => parseJson(bytes(text)))).toBe("duplicate-key");
  });

  test.each([
    ["colons, quotes and brackets in strings", String.raw`{"a\":{[":"}]:\\","b":":"}`],
    ["__proto__ once", '{"__proto__":{"a":1},"b":2}'],
    ["an empty key", '{"":{"":0}}'],
  ])("takes %s for what they are", (_, text) => {
    expect(codeOf(() => parseJson(bytes(text)))).toBe("none");
  });

  test.each(["", "{", "nul", "{'a':1}", '{"a":1,}', '"\u0001"', '{"a" 1}', "[1]]", '"', '"\\', "1 2"])(
    "refuses %j as malformed",
    (text) => {
      expect(codeOf(() => parseJson(bytes(text)))).toBe("malformed-json");
    },
  );

  test("refuses bytes that are not UTF-8, also halves of surrogates", () => {
    for (const wrong of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
      expect(codeOf(() => parseJson(Uint8Array.of(0x22, ...wrong, 0x22)))).toBe("invalid-utf8");
    }
  });

  test.each([
    ["a whole number", '{"amount":9007199254740993}', "9007199254740993"],
    ["a fraction", "[0.1, 0.12345678901234567890]", "0.12345678901234567890"],
    ["a negative number", "-12345678901234567", "12345678901234567"],
    ["an exponent that is too large", '{"a":[1e999]}', "1e999"],
    ["an exponent that is too small", "[1E-999 ]", "1E-999"],
  ])("refuses a number that would be another one: %s", (_, text, literal) => {
    expect(codeOf(() => parseJson(bytes(text)))).toBe("imprecise-number");
    expect(() => parseJson(bytes(text))).toThrow(literal);
    expect(parseJson(bytes(text), "nearest")).toEqual(JSON.parse(text));
  });

  test.each([
    ['{"9007199254740993":"9007199254740993"}'],
    ["[9007199254740992,1e2,-0,0.30000000000000004,1.00000000000000000000]"],
    [String.raw`["a\"9007199254740993",1]`],
  ])("takes numbers that are kept, and digits that are a text: %s", (text) => {
    expect(parseJson(bytes(text))).toEqual(JSON.parse(text));
  });

  test("tells that a body is no JSON before it tells of its numbers", () => {
    expect(codeOf(() => parseJson(bytes('{"a":9007199254740993')))).toBe("malformed-json");
    expect(codeOf(() => parseJson(bytes("9007199254740993-1")))).toBe("malformed-json");
  });

  test("bounds the nesting before anything walks the value", () => {
    const nested = (depth: number) => bytes("[".repeat(depth) + "]".repeat(depth));
    expect(codeOf(() => parseJson(nested(32)))).toBe("none");
    expect(codeOf(() => parseJson(nested(33)))).toBe("too-deep");
    expect(codeOf(() => parseJson(bytes('{"a":'.repeat(500_000))))).toBe("too-deep");
  });
});

describe("parseNdjson", () => {
  test("reads a document a line, blank lines left out", () => {
    expect(parseNdjson(bytes('{"a":1}\r\n\n  \n[2]\n"3"'))).toEqual([{ a: 1 }, [2], "3"]);
    expect(parseNdjson(bytes(""))).toEqual([]);
  });

  test("refuses a number that would be another one, in any line", () => {
    expect(codeOf(() => parseNdjson(bytes('{"a":1}\n{"a":1e400}')))).toBe("imprecise-number");
  });

  test("never takes two documents of one line for one, or one of two lines", () => {
    expect(codeOf(() => parseNdjson(bytes('{"a":1},{"b":2}')))).toBe("malformed-json");
    expect(codeOf(() => parseNdjson(bytes('{"a":\n1}')))).toBe("malformed-json");
  });

  test("knows a duplicate key in one line from the same key in two", () => {
    expect(codeOf(() => parseNdjson(bytes('{"a":1}\n{"a":2}')))).toBe("none");
    expect(codeOf(() => parseNdjson(bytes('{"a":1}\n{"a":2,"a":3}')))).toBe("duplicate-key");
  });
});
