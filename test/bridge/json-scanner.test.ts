import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonScanner, JsonSyntaxError } from "../../bridge/http/json-scanner.ts";
import { decodeText } from "../../bridge/log.ts";
import { scanMessages } from "../../bridge/http/messages.ts";

/** Whether the scanner takes a text as JSON. */
function scans(text: string): boolean {
  const scanner = new JsonScanner(Buffer.from(text));
  try {
    scanner.value();
    scanner.end();
    return true;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON with one character put in, taken out or replaced: mostly, but not always, broken. */
const nearlyJson = fc
  .tuple(
    fc.json({ depthSize: "medium" }),
    fc.nat(),
    fc.constantFrom(...Array.from('{}[]",:\\/utrbf0123.eE+- \n\u0001ü')),
    fc.nat(2),
  )
  .map(([text, at, character, removed]) => {
    const position = at % (text.length + 1);
    return text.slice(0, position) + character + text.slice(position + removed);
  });

describe("the scanner", () => {
  test("takes what JSON.parse takes", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(scans(text)).toBe(true);
      }),
    );
  });

  test("refuses what JSON.parse refuses", () => {
    let refused = 0;
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const valid = parses(text);
        if (!valid) refused++;
        expect(scans(text)).toBe(valid);
      }),
      { numRuns: 5_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  test.each([
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "0x1",
    "1e+",
    "--1",
    "NaN",
    "Infinity",
    "tru",
    "nulll",
    "",
    " ",
    "'a'",
  ])("refuses %j", (text) => {
    expect(parses(text)).toBe(false);
    expect(scans(text)).toBe(false);
  });

  test("refuses what is nested too deeply, without running out of stack", () => {
    expect(scans(`${"[".repeat(60)}${"]".repeat(60)}`)).toBe(true);
    expect(scans("[".repeat(1_000_000))).toBe(false);
    expect(scans(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`)).toBe(false);
  });
});

describe("a scanned message", () => {
  const text = fc.string({ unit: "binary" });
  const message = fc.record(
    {
      topic: fc.stringMatching(/^[a-z."\\]{1,9}$/),
      value: text,
      key: fc.option(text),
      partition: fc.option(fc.integer({ min: -1, max: 9 })),
      timestamp: fc.option(fc.nat()),
      headers: fc.option(fc.array(fc.record({ key: text, value: text }, { noNullPrototype: true }))),
      extra: fc.jsonValue({ maxDepth: 5 }),
    },
    { requiredKeys: ["topic", "value"], noNullPrototype: true },
  );

  test("says what the parsed one says, however it is laid out", () => {
    fc.assert(
      fc.property(fc.array(message), fc.constantFrom("", " ", "\n\t"), (messages, indent) => {
        const body = Buffer.from(JSON.stringify(messages, null, indent));
        const scanned = scanMessages(body, 1_000, { topic: null, timestamp: 7 });
        const parsed = JSON.parse(body.toString()) as typeof messages;
        expect(
          scanned.map(({ key, value, headers, ...rest }) => ({
            ...rest,
            key: key === null ? null : decodeText(key),
            value: decodeText(value),
            headers: JSON.parse(headers.bytes.toString("utf8", headers.start, headers.end)) as unknown,
          })),
        ).toEqual(
          parsed.map(({ topic, value, key, partition, timestamp, headers }) => ({
            topic,
            value,
            key: key ?? null,
            partition: partition ?? null,
            timestamp: timestamp ?? 7,
            headers: headers ?? [],
          })),
        );
      }),
    );
  });

  test("holds no raw newline, which ends a record in the log", () => {
    const body = Buffer.from(
      JSON.stringify(
        [{ topic: "t", key: "\n", value: "\n", headers: [{ key: "\n", value: "\n" }] }],
        null,
        2,
      ),
    );
    const [one] = scanMessages(body, 1, { topic: null, timestamp: 0 });
    for (const slice of [one?.key, one?.value, one?.headers]) {
      expect(slice).toBeDefined();
      expect(slice?.bytes.subarray(slice.start, slice.end).includes("\n")).toBe(false);
    }
  });

  test("the last of two equal names counts, as for JSON.parse", () => {
    const body = Buffer.from('{"topic":"a","topic":"b","value":"1","value":"2","key":"k","key":null}');
    const [one] = scanMessages(body, 1, { topic: null, timestamp: 0 });
    expect(one).toMatchObject({ topic: "b", key: null });
    expect(one === undefined ? "" : decodeText(one.value)).toBe("2");
  });
});
