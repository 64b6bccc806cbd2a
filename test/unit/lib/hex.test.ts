import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/lib/hex.ts";

describe("hexadecimal digits", () => {
  it("are those of toString(16), with leading zeros, for every safe integer", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(toHex(value, 14)).toBe(value.toString(16).padStart(14, "0"));
      }),
    );
  });

  it("keep the low digits where fewer are asked for", () => {
    expect(toHex(0x123456789abc, 12)).toBe("123456789abc");
    expect(toHex(0, 12)).toBe("000000000000");
    expect(toHex(0xff, 2)).toBe("ff");
  });
});
