import fc from "fast-check";
import { expect, test } from "vitest";
import { isExactNumber } from "../../../src/lib/exact-number.ts";

test.each([
  ["0"],
  ["0.0"],
  ["0e999"],
  ["1.0"],
  ["1.50"],
  ["1e2"],
  ["1E+2"],
  ["0.1"],
  ["100e-2"],
  ["9007199254740991"],
  ["9007199254740992"],
  ["9007199254740994"],
  ["0.30000000000000004"],
  ["1.7976931348623157e308"],
  ["5e-324"],
  [`0.${"0".repeat(300)}1`],
  [`1${"0".repeat(22)}.000`],
])("%s is kept", (literal) => {
  expect(isExactNumber(literal)).toBe(true);
});

test.each([
  ["9007199254740993"],
  ["9007199254740991.5"],
  ["12345678901234567890"],
  ["0.1000000000000000055"],
  ["3.14159265358979323846264338327950288"],
  ["1e309"],
  ["1e999"],
  ["1e99999999999999999999999"],
  ["1e-400"],
  ["4e-324"],
  [`1${"0".repeat(400)}`],
])("%s is not", (literal) => {
  expect(isExactNumber(literal)).toBe(false);
});

test("every number is kept as JavaScript itself writes it, and as it writes it with an exponent", () => {
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 });
  fc.assert(
    fc.property(numbers, (number) => {
      expect(isExactNumber(String(number))).toBe(true);
      expect(isExactNumber(number.toExponential())).toBe(true);
    }),
  );
});

test("of numbers with an exponent those are kept that whole numbers of any size tell are the same", () => {
  const mantissas = fc.oneof(
    fc.tuple(fc.nat(999), fc.nat(999)).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc.bigInt(0n, 10n ** 17n).map(String),
  );
  const exponents = fc.oneof(
    fc.integer({ min: -345, max: -290 }),
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: 285, max: 315 }),
  );
  const scaled = (text: string) => {
    const [mantissa = "", exponent = "0"] = text.split("e");
    const [whole = "", fraction = ""] = mantissa.split(".");
    return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length + 400);
  };
  fc.assert(
    fc.property(mantissas, exponents, (mantissa, exponent) => {
      const literal = `${mantissa}e${exponent}`;
      const read = Number(literal);
      const isSame = Number.isFinite(read) && scaled(literal) === scaled(String(read));
      expect([literal, isExactNumber(literal)]).toEqual([literal, isSame]);
    }),
    { numRuns: 2_000 },
  );
});

test("of whole numbers those are kept that BigInt finds in the double", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 30n), (number) => {
      // What JavaScript writes is the shortest text, which beyond 2^53 need not be the double itself.
      const written = BigInt(
        Number(number).toLocaleString("en", { useGrouping: false, maximumFractionDigits: 0 }),
      );
      expect(isExactNumber(String(number))).toBe(written === number);
    }),
  );
});

test("takes no longer than its text, however many zeros are in it", () => {
  const started = performance.now();
  expect(isExactNumber(`1.${"0".repeat(1_000_000)}1`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(500);
});
