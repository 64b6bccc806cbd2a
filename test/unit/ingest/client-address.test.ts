import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forwardedClient } from "../../../src/ingest/client-address.ts";

function clientOf(headers: Record<string, string>): string | null | undefined {
  const forwarded = forwardedClient(new Headers(headers));
  return forwarded === null ? null : forwarded.address;
}

const byForwardedFor = (value: string) => clientOf({ "x-forwarded-for": value });
const byForwarded = (value: string) => clientOf({ forwarded: value });

describe("an address as proxies write it is understood", () => {
  test.each([
    ["8.8.4.4", "8.8.4.4"],
    ["  8.8.4.4\t", "8.8.4.4"],
    ["8.8.4.4:5678", "8.8.4.4"],
    ['"8.8.4.4:5678"', "8.8.4.4"],
    ["2a02:2e0::1", "2a02:2e0::1"],
    ["2A02:02E0:0000:0::0001", "2a02:2e0::1"],
    ["[2a02:2e0::1]", "2a02:2e0::1"],
    ["[2a02:2e0::1]:443", "2a02:2e0::1"],
    ['"[2a02:2e0::1]:443"', "2a02:2e0::1"],
  ])("in X-Forwarded-For: %s", (written, address) => {
    expect(byForwardedFor(written)).toBe(address);
  });

  test.each([
    ["for=8.8.4.4", "8.8.4.4"],
    ["For=8.8.4.4", "8.8.4.4"],
    ["for=8.8.4.4;proto=http;by=203.0.113.43", "8.8.4.4"],
    ["proto=https; for=8.8.4.4 ;host=example.com", "8.8.4.4"],
    ['for="8.8.4.4:47011"', "8.8.4.4"],
    ['for="[2a02:2e0::1]"', "2a02:2e0::1"],
    ['for="[2a02:2e0::1]:4711"', "2a02:2e0::1"],
    ['for="[2a02:2e0::1]:_port"', "2a02:2e0::1"],
    [String.raw`for="\8.8.4\.4"`, "8.8.4.4"],
    ["for=10.0.0.1, for=8.8.4.4;by=10.0.0.2, for=9.9.9.9", "8.8.4.4"],
  ])("in Forwarded: %s", (written, address) => {
    expect(byForwarded(written)).toBe(address);
  });
});

describe("an IPv6 address that stands for an IPv4 one counts as that", () => {
  test.each([
    ["mapped", "::ffff:8.8.4.4", "8.8.4.4"],
    ["mapped, in hexadecimal", "::ffff:808:404", "8.8.4.4"],
    ["compatible, as it was once called", "::8.8.4.4", "8.8.4.4"],
    ["mapped, with a port", "[::ffff:8.8.4.4]:80", "8.8.4.4"],
    ["translated (RFC 6145)", "::ffff:0:8.8.4.4", "8.8.4.4"],
    ["translated (NAT64)", "64:ff9b::8.8.4.4", "8.8.4.4"],
    ["6to4", "2002:808:404::1", "8.8.4.4"],
    ["Teredo", "2001:0:4136:e378:8000:63bf:f7f7:fbfb", "8.8.4.4"],
  ])("%s", (_, written, address) => {
    expect(byForwardedFor(written)).toBe(address);
  });

  test("and is none where that is not public", () => {
    for (const written of ["::ffff:10.0.0.1", "2002:a00:1::1", "64:ff9b::127.0.0.1", "64:ff9b:1::8.8.4.4"]) {
      expect(byForwardedFor(written)).toBeUndefined();
    }
  });
});

describe("an address that is not of the internet is passed over", () => {
  test.each([
    ["private", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ["loopback", "127.0.0.1", "127.8.8.8", "::1"],
    ["link-local", "169.254.169.254", "fe80::1", "fe80::1%eth0"],
    ["of a carrier's NAT", "100.64.0.1", "100.127.255.255"],
    ["for documentation", "192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "3fff::1"],
    ["for benchmarks", "198.18.0.1", "198.19.255.255", "2001:2::1"],
    ["multicast", "224.0.0.1", "239.255.255.255", "ff02::1"],
    ["broadcast", "255.255.255.255"],
    ["unspecified", "0.0.0.0", "0.1.2.3", "::"],
    ["reserved", "192.0.0.8", "240.0.0.1", "192.88.99.1", "2001:1::1", "4000::1", "fec0::1"],
    ["unique local", "fc00::1", "fd12:3456:789a::1"],
    ["to be discarded", "100::1"],
    ["an overlay's", "2001:10::1", "2001:20::1", "2001:30::1", "5f00::1"],
    ["a sink's or a relay's", "192.175.48.1", "192.31.196.1", "192.52.193.1", "2620:4f:8000::1", "2001:3::1"],
  ])("%s", (_, ...addresses) => {
    for (const address of addresses) {
      expect(byForwardedFor(address)).toBeUndefined();
      expect(byForwardedFor(`${address}, 8.8.4.4`)).toBe("8.8.4.4");
      expect(byForwarded(`for="[${address}]", for=8.8.4.4`)).toBe("8.8.4.4");
    }
  });

  test("neighbours of such ranges count", () => {
    const neighbours = [
      "9.255.255.255",
      "11.0.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "100.63.255.255",
      "100.128.0.0",
    ];
    for (const address of [...neighbours, "2001:db7::1", "2001:db9::1"]) {
      expect(byForwardedFor(address)).toBe(address);
    }
  });
});

test("what is no address is passed over", () => {
  const none = [
    ...[
      "unknown",
      "_hidden",
      "_SEVKISEK:8080",
      "localhost",
      "example.com",
      "8.8.4.4.example.com",
      "-",
      "%",
      "münchen",
    ],
    ...[
      "8.8.4",
      "8.8.4.4.4",
      "8.8.4.256",
      "08.8.4.4",
      "0x8.8.4.4",
      "134744072",
      "8.8.4.4/24",
      "8.8.4.4 9.9.9.9",
    ],
    ...[
      "[8.8.4.4",
      "8.8.4.4]",
      "[]",
      "[:]:80",
      ":",
      "::ffff:8.8.4",
      "2a02:2e0:::1",
      "2a02:2e0::1/64",
      "1:2:3",
    ],
    ...["2a02:2e0::1%eth0", "12345::1", "[2a02:2e0::1]x", "8.8.4.4:", '"8.8.4.4', '""'],
  ];
  for (const text of none) {
    expect([text, byForwardedFor(`${text}, 9.9.9.9`)]).toEqual([text, "9.9.9.9"]);
  }
});

test("the left-most public address counts, wherever it stands and however the header came", () => {
  expect(byForwardedFor("unknown, , 10.0.0.1,8.8.4.4 , 9.9.9.9")).toBe("8.8.4.4");
  const twice = new Headers([
    ["x-forwarded-for", "10.0.0.1"],
    ["x-forwarded-for", "9.9.9.9, 8.8.4.4"],
  ]);
  expect(forwardedClient(twice)).toEqual({ address: "9.9.9.9" });
});

test("X-Forwarded-For goes before Forwarded, which counts where the first has no public address", () => {
  const forwarded = "for=9.9.9.9";
  expect(clientOf({ "x-forwarded-for": "8.8.4.4", forwarded })).toBe("8.8.4.4");
  expect(clientOf({ "x-forwarded-for": "10.0.0.1, unknown", forwarded })).toBe("9.9.9.9");
});

test("a request that names nobody was forwarded for nobody", () => {
  expect(forwardedClient(new Headers())).toBeNull();
  for (const empty of ["", " ", " , ,, "]) expect(byForwardedFor(empty)).toBeNull();
  for (const other of ["", "proto=https", 'by=203.0.113.43;host="for=8.8.4.4"'])
    expect(byForwarded(other)).toBeNull();
  // No other header counts.
  expect(
    clientOf({ "x-real-ip": "8.8.4.4", "true-client-ip": "8.8.4.4", "cf-connecting-ip": "8.8.4.4" }),
  ).toBeNull();
});

test("nothing inside a quoted value passes for a pair, and what is behind a break is not read", () => {
  expect(byForwarded('host="a;for=9.9.9.9,for=1.1.1.1";for=8.8.4.4')).toBe("8.8.4.4");
  expect(byForwarded(String.raw`host="a\";for=9.9.9.9";for=8.8.4.4`)).toBe("8.8.4.4");
  expect(byForwarded("for=10.0.0.1, for 9.9.9.9, for=8.8.4.4")).toBeUndefined();
  expect(byForwarded('host="a;for=9.9.9.9')).toBeNull();
});

test("a path longer than any is not read to its end", () => {
  expect(byForwardedFor(`${"10.0.0.1,".repeat(63)}8.8.4.4`)).toBe("8.8.4.4");
  expect(byForwardedFor(`${"10.0.0.1,".repeat(64)}8.8.4.4`)).toBeUndefined();
  expect(byForwarded(`${"for=10.0.0.1,".repeat(64)}for=8.8.4.4`)).toBeUndefined();
});

test("whatever is in the headers, the answer is a public address, none, or nobody, and comes at once", () => {
  const piece = fc.constantFrom(
    "for=",
    "8.8.4.4",
    "::ffff:",
    "[",
    "]",
    '"',
    "\\",
    ";",
    ",",
    " ",
    ":80",
    "=",
    "%",
    "2002:",
    "a",
  );
  const text = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.array(piece, { maxLength: 200 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, text, (first, second) => {
      const headers = new Map([
        ["x-forwarded-for", first],
        ["forwarded", second],
      ]);
      const startedAt = performance.now();
      const found = forwardedClient({ get: (name: string) => headers.get(name) ?? null } as Headers);
      expect(performance.now() - startedAt).toBeLessThan(1000);
      // What it tells is in the form that it takes, and counts again as itself.
      if (found?.address !== undefined) expect(byForwardedFor(found.address)).toBe(found.address);
    }),
    { numRuns: 2000 },
  );
});
