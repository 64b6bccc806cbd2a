import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scopes } from "../../../src/config.ts";
import type { Credential } from "../../../src/ingest/authenticate.ts";
import { draftFromCloudEvent, draftFromPlain } from "../../../src/ingest/draft.ts";
import { validateEvent } from "../../../src/ingest/validate.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");
const at = (offset: number) => new Date(now + offset).toISOString();
const day = 86_400_000;

const item = {
  itemId: "lamp-1",
  sellerId: "ada",
  title: "A lamp",
  category: "home-garden",
  currency: "EUR",
  startingPrice: 1000,
  endsAt: at(day),
};
const bid = { itemId: "lamp-1", bidderId: "ben", amount: 1000, currency: "EUR" };

const all: Credential = { id: "backend", scopes: new Set(scopes) };
const untrusted: Credential = { id: "backend", scopes: new Set(["items:write", "bids:write"]) };

const listed = "gavel.item.listed.v1";
const placed = "gavel.bid.placed.v1";

/** ``${pointer} ${code}`` of each fault, sorted; empty for a valid event. */
function faults(
  data: unknown,
  type: typeof listed | typeof placed | "gavel.item.withdrawn.v1" = listed,
): string[] {
  const draft = draftFromPlain(data, { type, source: "/test", now });
  return errorsOf(validateEvent(draft, all, now));
}

function errorsOf(result: ReturnType<typeof validateEvent>): string[] {
  if (result.ok) return [];
  return result.error.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
}

describe("an item", () => {
  test("is taken with nothing but what is required, and with everything that is allowed", () => {
    expect(faults(item)).toEqual([]);
    const attributes = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`name ${index}`, index]));
    const optional = { description: "", attributes, reserve: 1000, increment: 1, startsAt: at(-day) };
    expect(faults({ ...item, ...optional, startingPrice: 0, endsAt: at(90 * day) })).toEqual([]);
  });

  test("has all its faults told at once, each at its pointer", () => {
    const wrong = {
      itemId: "..",
      title: "",
      category: "Home",
      currency: "EUU",
      startingPrice: 10.5,
      endsAt: at(-1),
      startsAt: "2026-02-30T00:00:00Z",
      attributes: { "a/b~c": null, text: "x".repeat(1001) },
      titel: "typing error",
    };
    expect(faults(wrong)).toEqual(
      [
        "/attributes/a~1b~0c invalid-type",
        "/attributes/text too-long",
        "/category invalid-format",
        "/currency unknown-currency",
        "/endsAt ends-in-past",
        "/itemId invalid-format",
        "/sellerId required",
        "/startingPrice invalid-type",
        "/startsAt invalid-format",
        "/title too-short",
        "/titel unknown-field",
      ].toSorted(),
    );
  });

  test.each([
    [{ reserve: 999 }, "/reserve", "reserve-below-start"],
    [{ startsAt: at(day) }, "/startsAt", "starts-after-end"],
    [{ endsAt: at(0) }, "/endsAt", "ends-in-past"],
    [{ endsAt: at(90 * day + 1) }, "/endsAt", "ends-too-late"],
    [{ increment: 0 }, "/increment", "too-small"],
    [{ startingPrice: -1 }, "/startingPrice", "too-small"],
    [{ startingPrice: 2 ** 53 }, "/startingPrice", "too-big"],
    [{ startingPrice: "1000" }, "/startingPrice", "invalid-type"],
    [{ reserve: null }, "/reserve", "invalid-type"],
    [{ attributes: [] }, "/attributes", "invalid-type"],
    [{ attributes: { a: { b: 1 } } }, "/attributes/a", "invalid-type"],
    [{ attributes: { a: Number.POSITIVE_INFINITY } }, "/attributes/a", "invalid-type"],
    [{ attributes: { "\ud800": 1 } }, "/attributes/\ud800", "not-unicode"],
    [{ title: "half \udc00" }, "/title", "not-unicode"],
    [{ category: "-home" }, "/category", "invalid-format"],
    [{ itemId: "a".repeat(65) }, "/itemId", "invalid-format"],
    [{ currency: "eur" }, "/currency", "unknown-currency"],
  ])("with %j has one fault", (change, pointer, code) => {
    expect(faults({ ...item, ...change })).toEqual([`${pointer} ${code}`]);
  });

  test("has at most 32 attributes, also with a name that objects treat specially", () => {
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, true]));
    expect(faults({ ...item, attributes: many })).toEqual(["/attributes too-many"]);
    const special: unknown = JSON.parse('{"__proto__":"kept","constructor":"kept"}');
    const draft = draftFromPlain({ ...item, attributes: special }, { type: listed, source: "/test", now });
    const result = validateEvent(draft, all, now);
    expect(result.ok && JSON.stringify(result.value.data)).toContain(
      '"__proto__":"kept","constructor":"kept"',
    );
  });

  test("keeps any text of Unicode scalar values unchanged, its length counted in code points", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), (title) => {
        const draft = draftFromPlain({ ...item, title }, { type: listed, source: "/test", now });
        const result = validateEvent(draft, all, now);
        expect(result.ok && (result.value.data as typeof item).title).toBe(title);
      }),
    );
    expect(faults({ ...item, title: "𝄞".repeat(200) })).toEqual([]);
    expect(faults({ ...item, title: "𝄞".repeat(201) })).toEqual(["/title too-long"]);
  });

  test("has its times written in UTC with milliseconds", () => {
    const draft = draftFromPlain(
      { ...item, endsAt: "2026-11-25T14:00:00+02:00", startsAt: "2026-11-24T12:00:00.1239Z" },
      { type: listed, source: "/test", now },
    );
    const result = validateEvent(draft, all, now);
    expect(result.ok && result.value.data).toMatchObject({
      endsAt: "2026-11-25T12:00:00.000Z",
      startsAt: "2026-11-24T12:00:00.123Z",
    });
  });
});

describe("a bid and a withdrawal", () => {
  test("are taken as the interface says", () => {
    expect(faults(bid, placed)).toEqual([]);
    expect(faults({ ...bid, bidId: "b:1" }, placed)).toEqual([]);
    expect(faults({ itemId: "lamp-1" }, "gavel.item.withdrawn.v1")).toEqual([]);
  });

  test("are refused for what is wrong with them", () => {
    expect(faults({ ...bid, amount: 0, bidId: "", note: 1 }, placed)).toEqual([
      "/amount too-small",
      "/bidId invalid-format",
      "/note unknown-field",
    ]);
    expect(faults({ itemId: "lamp-1", reason: 7 }, "gavel.item.withdrawn.v1")).toEqual([
      "/reason invalid-type",
    ]);
    for (const none of [null, [], "bid", 5]) expect(faults(none, placed)).toEqual([" invalid-type"]);
  });

  test("no JSON value makes the validation itself fail", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(listed, placed), (value, type) => {
        expect(Array.isArray(faults(value, type))).toBe(true);
      }),
    );
  });
});

describe("rights", () => {
  const check = (data: unknown, type: typeof listed | typeof placed, credential: Credential) => {
    const result = validateEvent(draftFromPlain(data, { type, source: "/test", now }), credential, now);
    return result.ok ? "ok" : result.error.code;
  };

  test("a bound subject writes in its own name only, a back end in any", () => {
    const bound: Credential = { ...untrusted, subject: "ada" };
    expect(check(item, listed, bound)).toBe("ok");
    expect(check({ ...item, sellerId: "ben" }, listed, bound)).toBe("forbidden-subject");
    expect(check(bid, placed, bound)).toBe("forbidden-subject");
    expect(check({ ...bid, bidderId: "ada" }, placed, bound)).toBe("ok");
    expect(check(bid, placed, untrusted)).toBe("ok");
  });

  test("each type of event needs its scope", () => {
    const only = (...granted: ("items:write" | "bids:write")[]) => ({ id: "x", scopes: new Set(granted) });
    expect(check(item, listed, only("bids:write"))).toBe("missing-scope");
    expect(check(bid, placed, only("items:write"))).toBe("missing-scope");
  });
});

describe("a CloudEvent's time", () => {
  const event = { specversion: "1.0", id: "1", source: "/s", type: placed, data: bid };
  const validate = (document: unknown, credential: Credential) => {
    const drafted = draftFromCloudEvent(document);
    if ("issues" in drafted) throw new Error(`the envelope is refused: ${JSON.stringify(drafted.issues)}`);
    return validateEvent(drafted.draft, credential, now);
  };
  const timeOf = (time: string, credential: Credential) => {
    const result = validate({ ...event, time }, credential);
    return result.ok ? result.value.timestamp : result.error.code;
  };

  test("counts only with trusted-time, and at most 5 s ahead of the clock", () => {
    expect(timeOf(at(-day), untrusted)).toBe(now);
    expect(timeOf(at(day), untrusted)).toBe(now);
    expect(timeOf(at(-day), all)).toBe(now - day);
    expect(timeOf(at(5_000), all)).toBe(now + 5_000);
    expect(timeOf(at(5_001), all)).toBe("time-ahead");
    expect(timeOf("1969-12-31T23:59:59.999Z", all)).toBe("too-small");
  });

  test("is what an item's end is measured by", () => {
    const backfill = {
      ...event,
      type: listed,
      time: at(-100 * day),
      data: { ...item, endsAt: at(-50 * day) },
    };
    expect(errorsOf(validate(backfill, all))).toEqual([]);
    expect(errorsOf(validate(backfill, untrusted))).toEqual(["/data/endsAt ends-in-past"]);
  });

  test("is all that a tick has, beside an item of its partition", () => {
    const tick = { ...event, type: "gavel.tick.v1", data: undefined, subject: "lamp-1", time: at(-day) };
    const result = validate(tick, all);
    expect(result.ok && result.value).toMatchObject({ itemId: "lamp-1", data: {}, timestamp: now - day });
    expect(errorsOf(validate({ ...tick, subject: null, time: null, data: { a: 1 } }, all))).toEqual([
      "/data/a unknown-field",
      "/subject required",
      "/time required",
    ]);
    const refused = validate(tick, untrusted);
    expect(refused.ok || refused.error.code).toBe("missing-scope");
  });

  test("stands beside a subject that is the item or absent", () => {
    expect(errorsOf(validate({ ...event, subject: "lamp-1" }, all))).toEqual([]);
    expect(errorsOf(validate({ ...event, subject: "lamp-2" }, all))).toEqual(["/subject subject-mismatch"]);
  });
});

describe("a CloudEvent's envelope", () => {
  const event = { specversion: "1.0", id: "1", source: "/s", type: placed, data: bid };
  const issues = (document: unknown) => {
    const drafted = draftFromCloudEvent(document);
    return "issues" in drafted
      ? drafted.issues.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()
      : [];
  };

  test("has all its faults told at once", () => {
    const wrong = {
      specversion: "0.3",
      id: "",
      source: "a\u0007",
      type: "x",
      time: "now",
      Ext: 1,
      data_base64: 5,
    };
    expect(issues(wrong)).toEqual([
      "/Ext unknown-field",
      "/data_base64 invalid-type",
      "/id too-short",
      "/source invalid-format",
      "/specversion invalid-format",
      "/time invalid-format",
      "/type unknown-type",
    ]);
    expect(issues({})).toEqual(["id", "source", "specversion", "type"].map((name) => `/${name} required`));
    expect(issues({ ...event, id: "x".repeat(257), datacontenttype: "text/xml" })).toEqual([
      "/datacontenttype invalid-format",
      "/id too-long",
    ]);
    for (const none of [null, [], "event", 5]) expect(issues(none)).toEqual([" invalid-type"]);
  });

  test("takes null for absent, and extensions into the record's headers", () => {
    const drafted = draftFromCloudEvent({
      ...event,
      time: null,
      subject: null,
      region: "eu",
      tier: 3,
      flag: true,
      no: null,
    });
    expect(drafted).toMatchObject({
      draft: {
        extensions: [
          ["ce_region", "eu"],
          ["ce_tier", "3"],
          ["ce_flag", "true"],
        ],
      },
    });
    expect(issues({ ...event, region: "a\nb", tier: 1.5, list: [] })).toEqual([
      "/list invalid-type",
      "/region invalid-format",
      "/tier invalid-type",
    ]);
  });

  test("is not at fault for a trace context that is not valid", () => {
    expect(issues({ ...event, traceparent: 5, tracestate: ["x"] })).toEqual([]);
  });
});
