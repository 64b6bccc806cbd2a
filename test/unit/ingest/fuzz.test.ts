/**
 * Whatever bytes and headers come, a parser of the edge answers or throws a `Problem`, and takes
 * nothing that the platform's own parser reads differently. `SEED=17` plays a run again, `RUNS=100000`
 * makes it longer.
 */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isAcceptable, jsonAnswers } from "../../../src/http/acceptable.ts";
import { readBody } from "../../../src/ingest/body.ts";
import { draftFromCloudEvent } from "../../../src/ingest/draft.ts";
import { parseJson, parseNdjson } from "../../../src/ingest/json.ts";
import { parseMediaType } from "../../../src/ingest/media-type.ts";
import { parseCloudEvents, parseObject, parsePlain } from "../../../src/ingest/parse.ts";
import { parsePrefer } from "../../../src/ingest/prefer.ts";
import { Problem } from "../../../src/lib/problem.ts";
import { formatTimestamp, parseTimestamp } from "../../../src/lib/time.ts";
import { childTraceparent, parseTraceContext } from "../../../src/lib/trace-context.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env["RUNS"] ?? 2_000);
const run = { seed, numRuns };
console.log(`seed ${seed}; play it again with SEED=${seed}`);

const encoder = new TextEncoder();

/** Pieces of JSON in any order, among them what has to be told apart. */
const pieces = fc
  .array(
    fc.oneof(
      fc.constantFrom("{", "}", "[", "]", ":", ",", '"', "\\", " ", "\n", "\u0000", "\ufeff", "e", "-", "."),
      fc.constantFrom(
        '"a"',
        '"\\u0061"',
        '"__proto__"',
        '"constructor"',
        '"a:{"',
        "true",
        "null",
        '"\\ud800"',
      ),
      fc.constantFrom(
        "0",
        "-0",
        "1e999",
        "1e-999",
        "9007199254740993",
        "0.1",
        "1E+2",
        "01",
        "1.",
        "12345678901234567890",
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

interface Change {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.oneof(pieces, fc.string({ maxLength: 3 })) }),
  { maxLength: 3 },
);

/** A document with a few changes: most are no JSON any more, and some another document. */
const nearlyJson = fc.tuple(fc.jsonValue({ maxDepth: 4 }), changes).map(([value, edits]) =>
  edits.reduce((text, { at, remove, insert }) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + insert + text.slice(place + remove);
  }, JSON.stringify(value)),
);

const texts = fc.oneof(pieces, nearlyJson, fc.json(), fc.string({ unit: "binary" }));
const bodies = fc.oneof(
  texts.map((text) => encoder.encode(text)),
  fc.uint8Array(),
  fc
    .tuple(texts, fc.uint8Array({ maxLength: 4 }))
    .map(([text, more]) => Uint8Array.of(...encoder.encode(text), ...more)),
);

/** What a parser answered, or the code of its problem; any other exception is the test's failure. */
function outcome<Value>(act: () => Value): { readonly value: Value } | { readonly code: string } {
  try {
    return { value: act() };
  } catch (error) {
    if (error instanceof Problem) return { code: error.code };
    throw error;
  }
}

/** What the platform makes of the bytes; undefined where they are no JSON in UTF-8. */
function platformReads(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown };
  } catch {
    return undefined;
  }
}

test("a document is taken as the platform reads it, or refused for a reason that it has", () => {
  fc.assert(
    fc.property(bodies, (bytes) => {
      const mine = outcome(() => parseJson(bytes));
      const platform = platformReads(bytes);
      if ("value" in mine) expect(mine.value).toEqual(platform?.value);
      else if (mine.code === "malformed-json" || mine.code === "invalid-utf8")
        expect(platform).toBeUndefined();
      else if (mine.code === "duplicate-key" || mine.code === "imprecise-number")
        expect(platform).toBeDefined();
      else expect(mine.code).toBe("too-deep");
      expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
    }),
    run,
  );
});

test("what has been taken is written as it was, so that no key, no number and no text was lost", () => {
  /** Each key, number and text of a document, without the blanks and forms that mean nothing. */
  const scalars = (text: string) =>
    [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)]
      .map(([token]) => JSON.stringify(JSON.parse(token)))
      .toSorted();
  fc.assert(
    fc.property(fc.oneof(pieces, nearlyJson, fc.json()), (text) => {
      const mine = outcome(() => parseJson(encoder.encode(text)));
      if ("value" in mine)
        expect(scalars(JSON.stringify(mine.value))).toEqual(scalars(text.replace(/^\ufeff/, "")));
    }),
    run,
  );
});

test("lines are taken as the platform reads each, or refused", () => {
  const lines = fc.array(texts, { maxLength: 4 }).map((parts) => parts.join("\n"));
  fc.assert(
    fc.property(lines, (text) => {
      const mine = outcome(() => parseNdjson(encoder.encode(text)));
      if (!("value" in mine)) return;
      const read = new TextDecoder().decode(encoder.encode(text)).split("\n");
      const expected = read.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as unknown);
      expect(mine.value).toEqual(expected);
    }),
    run,
  );
});

/** A header's value as HTTP lets it through. */
const headerValue = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 20,
  }),
  fc.constantFrom("%E2%82%AC", "%C0%A0", '"a\\"b"', '"', "%", "%%", "\u{fffd}", "1.0"),
);
const contentType = fc.oneof(
  fc.constantFrom(
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/vnd.a+json; charset=utf-8",
    'text/json; charset="latin1',
    "",
  ),
  headerValue,
);

function headersOf(entries: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(entries)) {
    try {
      headers.set(name, value);
    } catch {
      // No client can send it.
    }
  }
  return headers;
}

test("a request's body and headers are events with every fault told, or a problem", () => {
  const attributes = fc.dictionary(
    fc.oneof(
      fc.constantFrom("specversion", "id", "source", "type", "time", "__proto__"),
      fc.string({ maxLength: 6 }),
    ),
    headerValue,
    { maxKeys: 6 },
  );
  fc.assert(
    fc.property(bodies, contentType, attributes, (bytes, type, more) => {
      const ce = Object.fromEntries(Object.entries(more).map(([name, value]) => [`ce-${name}`, value]));
      const headers = headersOf({ "content-type": type, ...ce });
      for (const parse of [parsePlain, parseObject, parseCloudEvents]) {
        const parsed = outcome(() => parse(headers, bytes));
        if (!("value" in parsed)) continue;
        for (const document of parsed.value.documents) {
          const drafted = draftFromCloudEvent(document);
          if ("issues" in drafted) expect(drafted.issues).not.toEqual([]);
        }
      }
    }),
    run,
  );
});

test("an event with anything in its members is a draft or has its faults told", () => {
  const sound = { specversion: "1.0", id: "1", source: "/a", type: "gavel.bid.placed.v1", data: {} };
  const member = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: "binary" }),
    fc.base64String(),
    fc.integer(),
    fc.double(),
  );
  const names = fc.oneof(
    fc.constantFrom(...Object.keys(sound), "time", "subject", "datacontenttype", "dataschema", "data_base64"),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.dictionary(names, member, { maxKeys: 4 }), (more) => {
      const drafted = draftFromCloudEvent({ ...sound, ...more });
      if ("issues" in drafted) expect(drafted.issues).not.toEqual([]);
      else for (const [name] of drafted.draft.extensions) expect(name).toMatch(/^ce_[a-z0-9]+$/);
    }),
    run,
  );
});

test("a compressed body, whole or changed, is what it was before or a problem", async () => {
  const limit = 200;
  const post = (body: Uint8Array<ArrayBuffer>) =>
    new Request("https://gavel.test/", { method: "POST", body, headers: { "content-encoding": "gzip" } });
  const change = fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), change, async (bytes, at) => {
      const zipped = new Uint8Array(gzipSync(bytes));
      if (at !== undefined) zipped[at[0] % zipped.length] = at[1];
      try {
        const read = await readBody(post(zipped), { maxBodyBytes: limit, bodyTimeoutMs: 5_000 });
        // Bytes of the frame that say nothing of the content may change.
        expect(read).toEqual(bytes);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        expect(["malformed-encoding", "body-too-large"]).toContain(error.code);
        if (at === undefined) expect([error.code, bytes.length > limit]).toEqual(["body-too-large", true]);
      }
    }),
    { ...run, numRuns: Math.min(numRuns, 1_000) },
  );
});

test("a header is read or passed over, whatever it holds", () => {
  const states = fc.oneof(headerValue, fc.constantFrom("a=1,b=2", "a=1,a=2", "=", ",,,", "a@b=c"));
  const parents = fc.oneof(
    headerValue,
    fc
      .tuple(
        fc.stringMatching(/^[0-9a-f]{2}$/),
        fc.stringMatching(/^[0-9a-g]{32}$/),
        fc.stringMatching(/^[0-9a-f]{16}$/),
      )
      .map(([version, trace, span]) => `${version}-${trace}-${span}-01`),
  );
  fc.assert(
    fc.property(headerValue, parents, states, (value, traceparent, tracestate) => {
      const { waitSeconds = 1 } = parsePrefer(`wait=${value}`);
      expect(waitSeconds >= 1 && waitSeconds <= 10).toBe(true);
      parsePrefer(value);
      parseMediaType(value);
      isAcceptable(value, jsonAnswers);
      const context = parseTraceContext(traceparent, tracestate);
      if (context !== null)
        expect(parseTraceContext(childTraceparent(context), context.tracestate)).toEqual(context);
    }),
    run,
  );
});

test("a time is what the platform reads, or none", () => {
  const digits = fc.nat(99).map((number) => String(number).padStart(2, "0"));
  const times = fc
    .tuple(
      fc.nat(9999),
      digits,
      digits,
      digits,
      digits,
      digits,
      fc.constantFrom("", ".1", ".123456789", "."),
      fc.constantFrom("Z", "z", "+01:30", "-23:59", "", "+24:00"),
    )
    .map(
      ([year, month, day, hour, minute, second, fraction, zone]) =>
        `${String(year).padStart(4, "0")}-${month}-${day}T${hour}:${minute}:${second}${fraction}${zone}`,
    );
  fc.assert(
    fc.property(
      fc.oneof(
        times,
        fc.string(),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      ),
      (text) => {
        const time = parseTimestamp(text);
        if (time === null) return;
        expect(time).toBe(Date.parse(text.toUpperCase()));
        expect(parseTimestamp(formatTimestamp(time))).toBe(time);
      },
    ),
    run,
  );
});
