import { describe, expect, test } from "vitest";
import { endpointAddress } from "../../../src/functions/http/endpoint-address.ts";
import { validateSubscription } from "../../../src/subscriptions/validate.ts";

const url = "https://hooks.example.com/gavel";
const won = "gavel.bidder.won.v1";
const lost = "gavel.bidder.lost.v1";

const checkAddress = (address: string) => endpointAddress(address, { allowLoopback: false });

function settingsOf(document: unknown) {
  const result = validateSubscription(document, checkAddress);
  if (!result.ok) throw result.error;
  return result.value;
}

/** `{pointer} {code}` of each fault, sorted. */
function faults(document: unknown): string[] {
  const result = validateSubscription(document, checkAddress);
  return result.ok ? [] : result.error.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
}

describe("a subscription is taken", () => {
  test("with its address alone, and gets the defaults", () => {
    const defaults = { order: "key", mode: "structured", batch: { count: 1 }, from: "latest" };
    expect(settingsOf({ url })).toEqual({ url, ...defaults });
    expect(settingsOf({ url, batch: {} })).toEqual({ url, ...defaults });
  });

  test("with everything that may be said", () => {
    const all = [
      { field: "itemId", prefix: "car-" },
      { field: "amount", from: 1_000, to: 5_000 },
      { field: "highest.bidderId", exists: true },
      { field: "currency", equals: "EUR" },
    ];
    const settings = { order: "none", mode: "structured", batch: { count: 100 }, from: "earliest" };
    const document = { url, filter: { types: [won, lost], all }, ...settings };
    expect(settingsOf(document)).toEqual(document);
    expect(settingsOf({ url, mode: "binary" })).toMatchObject({ mode: "binary" });
  });

  test("with types, which are put into the filter", () => {
    expect(settingsOf({ url, types: [won] }).filter).toEqual({ types: [won] });
    const all = [{ field: "amount", from: 1 }];
    expect(settingsOf({ url, types: [won, lost], filter: { all } }).filter).toEqual({
      types: [won, lost],
      all,
    });
  });
});

describe("a subscription is refused", () => {
  test("with every fault told at once, each at its pointer", () => {
    const document = {
      url: "ftp://hooks.example.com",
      types: [],
      filter: { types: ["gavel.bidder.one.v1"], some: [] },
      order: "random",
      mode: "raw",
      batch: { count: 101, size: 1 },
      from: 0,
      secret: "whsec_mine",
    };
    expect(faults(document)).toEqual(
      [
        ...["/url forbidden-url", "/types invalid-format", "/types given-twice"],
        ...["/filter/types/0 unknown-type", "/mode invalid-format"],
        ...["/filter/some unknown-field", "/order invalid-format", "/batch/count too-big"],
        ...["/batch/size unknown-field", "/from invalid-format", "/secret unknown-field"],
      ].toSorted(),
    );
  });

  test.each([
    ["nothing", undefined, [" invalid-type"]],
    ["a text", "https://hooks.example.com", [" invalid-type"]],
    ["an array", [{ url }], [" invalid-type"]],
    ["no address", {}, ["/url required"]],
    ["an address that is no text", { url: 1 }, ["/url invalid-type"]],
    ["types that are no array", { url, types: won }, ["/types invalid-type"]],
    ["a type that is no text", { url, types: [1] }, ["/types/0 invalid-type"]],
    [
      "a type that no notification has",
      { url, types: [won, "gavel.bidder.wno.v1"] },
      ["/types/1 unknown-type"],
    ],
    ["a batch of none", { url, batch: { count: 0 } }, ["/batch/count too-small"]],
    ["a batch of 101", { url, batch: { count: 101 } }, ["/batch/count too-big"]],
    ["half an event", { url, batch: { count: 1.5 } }, ["/batch/count invalid-type"]],
    ["null for what may be absent", { url, filter: null }, ["/filter invalid-type"]],
  ])("of %s", (_, document, expected) => {
    expect(faults(document)).toEqual(expected);
  });

  test.each([
    "http://hooks.example.com/gavel",
    "hooks.example.com",
    "javascript:alert(1)",
    "https://ada:secret@hooks.example.com/",
    "https://localhost/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    `https://hooks.example.com/${"x".repeat(2048)}`,
  ])("with the address %s", (address) => {
    expect(faults({ url: address })).toEqual(["/url forbidden-url"]);
  });

  test("and the refusal has a code of its own where its faults differ", () => {
    const result = validateSubscription({ url, secret: 1 }, checkAddress);
    expect(result.ok ? "" : result.error.code).toBe("unknown-field");
    const several = validateSubscription({ url: "x", secret: 1 }, checkAddress);
    expect(several.ok ? "" : several.error).toMatchObject({ code: "invalid-subscription", status: 422 });
  });
});
