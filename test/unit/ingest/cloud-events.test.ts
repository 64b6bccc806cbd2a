import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { draftFromCloudEvent } from "../../../src/ingest/draft.ts";
import { parseCloudEvents } from "../../../src/ingest/parse.ts";
import { Problem } from "../../../src/lib/problem.ts";

const bid = { itemId: "lamp-1", bidderId: "ben", amount: 5, currency: "EUR" };
const event = { specversion: "1.0", id: "1", source: "/s", type: "gavel.bid.placed.v1", data: bid };
const bytes = (text: string) => new TextEncoder().encode(text);
const base64 = (text: string) => Buffer.from(text).toString("base64");

function draftOf(document: unknown) {
  const drafted = draftFromCloudEvent(document);
  if ("issues" in drafted) throw new Error(JSON.stringify(drafted.issues));
  return drafted.draft;
}

/** The faults of an event that is sound but for these members. */
function issuesOf(more: Record<string, unknown>): string[] {
  const drafted = draftFromCloudEvent({ ...event, ...more });
  return "issues" in drafted ? drafted.issues.map(({ pointer, code }) => `${pointer} ${code}`) : [];
}

describe("an attribute's name", () => {
  test.each(["a", "0", "comexampleextension1", "anamethatislongerthantwentycharacters"])(
    "may be %s",
    (name) => {
      expect(draftOf({ ...event, [name]: "x" }).extensions).toEqual([[`ce_${name}`, "x"]]);
    },
  );

  test.each([
    "",
    "A",
    "camelCase",
    "snake_case",
    "kebab-case",
    "dot.ted",
    "ünder",
    "a b",
    "__proto__",
    "a".repeat(65),
  ])("cannot be %j", (name) => {
    const document = JSON.parse(`{${JSON.stringify(name)}:"x"}`) as object;
    expect(issuesOf({ ...document, ...Object.fromEntries([[name, "x"]]) })).toEqual([
      `/${name} unknown-field`,
    ]);
  });
});

describe("an extension", () => {
  test("of every type of CloudEvents becomes its canonical text", () => {
    const more = {
      aboolean: true,
      another: false,
      aninteger: -2_147_483_648,
      largest: 2_147_483_647,
      zero: -0,
      astring: "Für Ayşe 🦁",
      empty: "",
      abinary: "AAEC/w==",
      auri: "https://example.com/a?b#c",
      areference: "../a",
      atimestamp: "2026-11-24T12:00:00Z",
      unset: null,
    };
    expect(draftOf({ ...event, ...more }).extensions).toEqual([
      ["ce_aboolean", "true"],
      ["ce_another", "false"],
      ["ce_aninteger", "-2147483648"],
      ["ce_largest", "2147483647"],
      ["ce_zero", "0"],
      ["ce_astring", "Für Ayşe 🦁"],
      ["ce_empty", ""],
      ["ce_abinary", "AAEC/w=="],
      ["ce_auri", "https://example.com/a?b#c"],
      ["ce_areference", "../a"],
      ["ce_atimestamp", "2026-11-24T12:00:00Z"],
    ]);
  });

  test.each([
    ["a number above 32 bits", 2_147_483_648, "too-big"],
    ["a number below 32 bits", -2_147_483_649, "too-small"],
    ["a fraction", 1.5, "invalid-type"],
    ["an object", { a: 1 }, "invalid-type"],
    ["a list", ["a"], "invalid-type"],
    ["a C0 control", "a\u0000", "invalid-format"],
    ["a C1 control", "a\u0085", "invalid-format"],
    ["a noncharacter at a plane's end", "\ufffe", "invalid-format"],
    ["a noncharacter inside a plane", "\ufdd0", "invalid-format"],
    ["a noncharacter of another plane", "\u{1ffff}", "invalid-format"],
    ["half of a surrogate pair", "\ud800", "not-unicode"],
    ["a text of 1,025 characters", "x".repeat(1025), "too-long"],
  ])("is refused that holds %s", (_, value, code) => {
    expect(issuesOf({ ext: value })).toEqual([`/ext ${code}`]);
  });

  test("is kept whatever text it is that CloudEvents allows", () => {
    const allowed = fc
      .string({ unit: "binary", maxLength: 100 })
      .filter((text) => !/[\p{Cc}\p{Noncharacter_Code_Point}\p{Cs}]/u.test(text));
    fc.assert(
      fc.property(allowed, (text) => {
        expect(draftOf({ ...event, ext: text }).extensions).toEqual([["ce_ext", text]]);
      }),
    );
  });

  test("is one of 16 at most", () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`ext${index}`, index]));
    expect(issuesOf(many(16))).toEqual([]);
    expect(issuesOf(many(17))).toEqual([" too-many"]);
  });
});

describe("required attributes", () => {
  test.each(["id", "source"])("%s holds no control and no noncharacter, and is not empty", (name) => {
    expect(issuesOf({ [name]: "" })).toEqual([`/${name} too-short`]);
    for (const wrong of ["a\u001f", "\u007f", "\uffff", "\u{10fffe}"])
      expect(issuesOf({ [name]: wrong })).toEqual([`/${name} invalid-format`]);
    expect(issuesOf({ [name]: "é€😀" })).toEqual([]);
  });

  test("specversion is 1.0 and no other text or number", () => {
    for (const version of ["1.0.2", "0.3", "2.0", "1", 1])
      expect(issuesOf({ specversion: version })).toEqual(["/specversion invalid-format"]);
  });
});

describe("datacontenttype", () => {
  test.each([
    "application/json",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "APPLICATION/JSON",
    "text/json",
    "application/vnd.example.bid+json",
    'application/json; profile="a;charset=latin1"',
  ])("%s is JSON and is kept", (type) => {
    expect(draftOf({ ...event, datacontenttype: type })).toMatchObject({ contentType: type, data: bid });
  });

  test("that is absent or null is application/json", () => {
    expect(draftOf(event).contentType).toBeUndefined();
    expect(draftOf({ ...event, datacontenttype: null }).contentType).toBeUndefined();
  });

  test.each([
    "text/xml",
    "application/xml",
    "application/octet-stream",
    "json",
    "application/jsonp",
    "application/json\r\nx: y",
    "application/json; charset=iso-8859-1",
    "application/cloudevents+json",
    "",
  ])("%j is refused: the data is a bid or an item, which are JSON in UTF-8", (type) => {
    expect(issuesOf({ datacontenttype: type })).toContain(
      `/datacontenttype ${type === "" ? "too-short" : "invalid-format"}`,
    );
  });
});

describe("dataschema", () => {
  test("is a URI and goes into the record", () => {
    const dataschema = "https://example.com/bid.json#v1";
    expect(draftOf({ ...event, dataschema }).extensions).toEqual([["ce_dataschema", dataschema]]);
    expect(draftOf({ ...event, dataschema: null }).extensions).toEqual([]);
  });

  test.each([
    ["bid.json", "invalid-format"],
    ["/bid.json", "invalid-format"],
    ["https://example.com/a b", "invalid-format"],
    ["https://example.com/%zz", "invalid-format"],
  ])("%s is none", (dataschema, code) => {
    expect(issuesOf({ dataschema })).toEqual([`/dataschema ${code}`]);
  });
});

describe("data", () => {
  test("that is a text is a text, and not the document that it holds", () => {
    expect(draftOf({ ...event, data: JSON.stringify(bid) }).data).toBe(JSON.stringify(bid));
  });

  test("may come as base64 of its bytes", () => {
    const { data: _, ...rest } = event;
    for (const data_base64 of [base64(JSON.stringify(bid)), base64(`\ufeff ${JSON.stringify(bid)}\n`)])
      expect(draftOf({ ...rest, data_base64 })).toMatchObject({ data: bid, root: "/data_base64" });
    expect(draftOf({ ...event, data_base64: null })).toMatchObject({ data: bid, root: "/data" });
  });

  test.each([
    ["beside data", base64("{}"), {}, "given-twice"],
    ["beside data that is null", base64("{}"), { data: null }, "given-twice"],
    ["of another alphabet", "e30-", { data: undefined }, "invalid-format"],
    ["without padding", "e30", { data: undefined }, "invalid-format"],
    ["with a line break", "e3\n0=", { data: undefined }, "invalid-format"],
    ["of no bytes", "", { data: undefined }, "invalid-format"],
    ["of what is no JSON", base64("{"), { data: undefined }, "invalid-format"],
    ["of a key twice", base64('{"a":1,"a":2}'), { data: undefined }, "invalid-format"],
    ["of a number that loses digits", base64("9007199254740993"), { data: undefined }, "invalid-format"],
    ["of what is too deep", base64("[".repeat(99)), { data: undefined }, "invalid-format"],
    [
      "of what is no UTF-8",
      Buffer.from([0x22, 0xff, 0x22]).toString("base64"),
      { data: undefined },
      "invalid-format",
    ],
  ])("as base64 is refused %s", (_, data_base64, more, code) => {
    expect(issuesOf({ ...more, data_base64 })).toEqual([`/data_base64 ${code}`]);
  });
});

describe("binary mode", () => {
  const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": event.type };
  const json = { "content-type": "application/json" };
  const parse = (more: Record<string, string>, body: string = JSON.stringify(bid)) =>
    parseCloudEvents(new Headers({ ...headers, ...more }), bytes(body)).documents[0];
  const codeOf = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      if (error instanceof Problem) return error.code;
      throw error;
    }
    return "none";
  };

  test("is the structured event with the same attributes", () => {
    expect(parse({ ...json, "CE-Subject": "lamp-1", "ce-ext": "x" })).toEqual({
      ...event,
      datacontenttype: "application/json",
      subject: "lamp-1",
      ext: "x",
    });
  });

  test.each([
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%e2%82%ac", "€"],
    ["%61%62", "ab"],
    ["%2525", "%25"],
    ['"a \\"b\\" \\\\ c"', 'a "b" \\ c'],
    ['"a%20b"', "a b"],
    ["a (no comment)", "a (no comment)"],
    ["EURO%EF%BF%BD", "EURO\u{fffd}"],
  ])("reads %s as %s: unquoted, then decoded once", (value, attribute) => {
    expect(parse({ ...json, "ce-ext": value })).toMatchObject({ ext: attribute });
  });

  test.each(["%C0%A0", "%E2%82", "%FF", "%ED%A0%80", "100%", "%zz"])(
    "refuses %s, which is no UTF-8",
    (value) => {
      expect(codeOf(() => parse({ ...json, "ce-ext": value }))).toBe("invalid-header");
    },
  );

  test("keeps the whole content type, and refuses one that is not JSON in UTF-8", () => {
    const type = "application/vnd.example+json; charset=utf-8; v=1";
    expect(parse({ "content-type": type })).toMatchObject({ datacontenttype: type, data: bid });
    for (const other of [
      "text/xml",
      "application/json; charset=iso-8859-1",
      "application/cloudevents+avro",
      "application/cloudevents-other+json",
      "",
    ]) {
      expect(
        codeOf(() => parse({ "content-type": other })),
        other,
      ).toBe("unsupported-media-type");
    }
  });

  test("has no data where there is no body, with a content type and without", () => {
    expect(parse(json, "")).not.toHaveProperty("data");
    expect(parse({}, "")).toMatchObject({ datacontenttype: null, id: "1" });
  });

  test("is what a request with any required attribute in its headers is, and no other", () => {
    const parsed = (names: Record<string, string>) =>
      codeOf(() => parseCloudEvents(new Headers({ ...json, ...names }), bytes("{}")));
    expect(parsed({ "ce-id": "1" })).toBe("none");
    expect(parsed({ "ce-ext": "1" })).toBe("unsupported-media-type");
    expect(parsed({})).toBe("unsupported-media-type");
  });

  test("lets no header say what the body says", () => {
    for (const name of ["ce-data", "ce-data_base64", "ce-datacontenttype"])
      expect(codeOf(() => parse({ ...json, [name]: "x" }))).toBe("invalid-header");
  });
});
