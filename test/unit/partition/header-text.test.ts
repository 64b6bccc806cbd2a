import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHeaders, encodeHeaders } from "../../../src/kafka/header-text.ts";

test("headers of any text come back from a push unchanged and in order", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "\n", "a\nb", "[", "[]", "ce_id"));
  fc.assert(
    fc.property(fc.array(fc.record({ key: text, value: text })), (headers) => {
      expect(decodeHeaders(encodeHeaders(headers))).toEqual(headers);
    }),
  );
});
