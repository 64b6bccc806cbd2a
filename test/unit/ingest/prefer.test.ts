import { expect, test } from "vitest";
import { parsePrefer } from "../../../src/ingest/prefer.ts";

test.each([
  [null, { minimal: false }],
  ["", { minimal: false }],
  ["wait=5", { minimal: false, waitSeconds: 5 }],
  ["return=minimal", { minimal: true }],
  ['Return="minimal", WAIT = 3 ; foo', { minimal: true, waitSeconds: 3 }],
  ["wait=2, wait=9", { minimal: false, waitSeconds: 2 }],
  ["wait=60", { minimal: false, waitSeconds: 10 }],
  ["wait=0", { minimal: false }],
  ["wait=-1, respond-async", { minimal: false }],
  ["wait=soon, return=representation", { minimal: false }],
])("Prefer: %s", (header, expected) => {
  expect(parsePrefer(header)).toEqual(expected);
});
