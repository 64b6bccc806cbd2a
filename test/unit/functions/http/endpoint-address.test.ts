import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpointAddress } from "../../../../src/functions/http/endpoint-address.ts";

function judged(text: string, allowLoopback = false): string {
  const address = endpointAddress(text, { allowLoopback });
  return address.ok ? address.value.href : address.error.code;
}

describe("an address is taken", () => {
  test.each([
    ["https://hooks.shop.com/gavel?tenant=5", "https://hooks.shop.com/gavel?tenant=5"],
    ["https://hooks.shop.com:443/", "https://hooks.shop.com/"],
    ["https://hooks.shop.com:8443/", "https://hooks.shop.com:8443/"],
    ["https://hooks.shop.com:1024/", "https://hooks.shop.com:1024/"],
    ["https://hooks.shop.com:65535/", "https://hooks.shop.com:65535/"],
    ["HTTPS://Hooks.Shop.COM/A", "https://hooks.shop.com/A"],
    ["https://hooks.shop.com./a", "https://hooks.shop.com/a"],
    ["https://bücher.de/", "https://xn--bcher-kva.de/"],
    ["https://under_score.shop.com/", "https://under_score.shop.com/"],
    ["https://local.shop.com/", "https://local.shop.com/"],
    ["https://consul.shop.com/", "https://consul.shop.com/"],
    ["https://notlocal.dev/", "https://notlocal.dev/"],
    ["https://1.2.3.4.shop.com/", "https://1.2.3.4.shop.com/"],
  ])("%s", (text, href) => {
    expect(judged(text)).toBe(href);
  });
});

describe("an address is refused", () => {
  test.each([
    ["http://hooks.shop.com/", "not-https"],
    ["ftp://hooks.shop.com/", "not-https"],
    ["file:///etc/passwd", "not-https"],
    ["data:text/plain,hello", "not-https"],
    ["javascript:alert(1)", "not-https"],
    ["blob:https://hooks.shop.com/1", "not-https"],
    ["wss://hooks.shop.com/", "not-https"],
    ["", "malformed"],
    ["/relative", "malformed"],
    ["hooks.shop.com", "malformed"],
    ["https://", "malformed"],
    ["https://exa mple.com/", "malformed"],
    ["https://hooks.shop.com:99999/", "malformed"],
    [`https://hooks.shop.com/${"a".repeat(2048)}`, "too-long"],
  ])("that is no HTTPS URL: %s", (text, code) => {
    expect(judged(text)).toBe(code);
  });

  test.each([
    "https://user:secret@hooks.shop.com/",
    "https://user@hooks.shop.com/",
    "https://:secret@hooks.shop.com/",
  ])("that holds credentials: %s", (text) => {
    expect(judged(text)).toBe("credentials");
  });

  test.each([
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[2001:db8::1]/",
    "https://[2606:4700::1111]/",
  ])("that is an IP address, in whatever form: %s", (text) => {
    expect(judged(text)).toBe("ip-address");
  });

  test.each([
    "https://localhost/",
    "https://LOCALHOST./",
    "https://gateway/",
    "https://metadata/",
    "https://app.localhost/",
    "https://printer.local/",
    "https://printer.local./",
    "https://metadata.google.internal/",
    "https://kubernetes.default.svc.cluster.local/",
    "https://router.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://expyuzz4wqqyqhjn.onion/",
    "https://wiki.corp/",
    "https://nas.lan/",
    "https://nas.home/",
    "https://db.intranet/",
    "https://db.localdomain/",
    "https://hooks.test/",
    "https://hooks.invalid/",
    "https://gateway.default.svc/",
    "https://gateway.default.svc.cluster.local/",
    "https://gateway.cluster/",
    "https://vault.service.consul/",
    "https://host.docker/",
    "https://host.docker.internal/",
    "https://ｌｏｃａｌｈｏｓｔ/",
  ])("that means something only inside a network: %s", (text) => {
    expect(judged(text)).toBe("internal-name");
  });

  test.each([
    "https://a..com/",
    "https://shop.com../",
    "https://.shop.com/",
    "https://-a.com/",
    "https://a$b.com/",
    `https://${"a".repeat(64)}.com/`,
  ])("that is no name of DNS: %s", (text) => {
    expect(judged(text)).toBe("malformed");
  });

  test.each([0, 22, 25, 80, 442, 444, 1023])("at port %i", (port) => {
    expect(judged(`https://hooks.shop.com:${port}/`)).toBe("port");
  });
});

test("a refusal says why in words that hold nothing of the address", () => {
  const address = endpointAddress("https://user:secret@10.0.0.1/", { allowLoopback: false });
  expect(address).toEqual({
    ok: false,
    error: { code: "credentials", message: "must not hold credentials: calls are signed" },
  });
});

describe("where loopback is allowed", () => {
  test.each([
    "http://127.0.0.1:8080/hook",
    "http://127.8.8.8/",
    "http://localhost:3000/",
    "https://localhost/",
    "http://[::1]:3000/",
  ])("%s is taken", (text) => {
    expect(judged(text, true)).toBe(new URL(text).href);
    expect(judged(text)).not.toContain("/");
  });

  test.each([
    ["http://hooks.shop.com/", "not-https"],
    ["http://10.0.0.1/", "not-https"],
    ["https://10.0.0.1/", "ip-address"],
    ["https://[::ffff:127.0.0.1]/", "ip-address"],
    ["https://169.254.169.254/", "ip-address"],
    ["http://user:secret@127.0.0.1/", "credentials"],
    ["ftp://127.0.0.1/", "not-https"],
    ["https://printer.local/", "internal-name"],
  ])("%s is still refused", (text, code) => {
    expect(judged(text, true)).toBe(code);
  });
});

describe("where hosts are listed", () => {
  const hosts = ["hooks.shop.com", "*.partner.example.org"];
  const judgedBy = (text: string, allowLoopback = false): string => {
    const address = endpointAddress(text, { allowLoopback, hosts });
    return address.ok ? address.value.href : address.error.code;
  };

  test.each([
    "https://hooks.shop.com/gavel",
    "https://hooks.shop.com:8443/",
    "https://HOOKS.shop.com./",
    "https://a.partner.example.org/",
    "https://a.b.partner.example.org/",
  ])("%s is taken", (text) => {
    expect(judgedBy(text)).toBe(new URL(text.replace("com./", "com/")).href);
  });

  test.each([
    "https://shop.com/",
    "https://a.hooks.shop.com/",
    "https://nothooks.shop.com/",
    "https://hooks.shop.com.evil.org/",
    "https://partner.example.org/",
    "https://notpartner.example.org/",
    "https://a.partner.example.org.evil.org/",
    "https://evil.org/?hooks.shop.com",
  ])("%s is refused", (text) => {
    expect(judgedBy(text)).toBe("not-listed");
  });

  test.each([
    ["http://hooks.shop.com/", "not-https"],
    ["https://user:secret@hooks.shop.com/", "credentials"],
    ["https://hooks.shop.com:22/", "port"],
    ["https://10.0.0.1/", "ip-address"],
  ])("%s is refused by the other rules all the same", (text, code) => {
    expect(judgedBy(text)).toBe(code);
  });

  test("no name inside a network is taken by being listed", () => {
    const address = endpointAddress("https://a.internal/", { allowLoopback: false, hosts: ["a.internal"] });
    expect(address).toMatchObject({ error: { code: "internal-name" } });
  });

  test("loopback needs no entry where it is allowed, and none gives it where it is not", () => {
    expect(judgedBy("http://127.0.0.1:8080/", true)).toBe("http://127.0.0.1:8080/");
    expect(judgedBy("http://127.0.0.1:8080/")).toBe("not-https");
  });

  test("none listed are all", () => {
    const address = endpointAddress("https://evil.org/", { allowLoopback: false, hosts: [] });
    expect(address.ok).toBe(true);
  });
});

test("no IPv4 address is taken, however its number is written", () => {
  const forms = [
    (bytes: number[]) => bytes.join("."),
    (bytes: number[]) => bytes.map((byte) => `0x${byte.toString(16)}`).join("."),
    (bytes: number[]) => bytes.map((byte) => `0${byte.toString(8)}`).join("."),
    (bytes: number[]) => String(bytes.reduce((number, byte) => number * 256 + byte, 0)),
    (bytes: number[]) => `[::ffff:${bytes.join(".")}]`,
    (bytes: number[]) => `${bytes.join(".")}.`,
  ];
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.tuple(byte, byte, byte, byte), fc.constantFrom(...forms), (bytes, form) => {
      expect(judged(`https://${form(bytes)}/`)).toBe("ip-address");
    }),
  );
});

test("whatever is taken is HTTPS to a public name", () => {
  const near = fc.oneof(
    fc.webUrl({ withQueryParameters: true }),
    fc.string(),
    fc.domain().map((name) => `https://${name}`),
  );
  fc.assert(
    fc.property(near, (text) => {
      const address = endpointAddress(text, { allowLoopback: false });
      if (!address.ok) return;
      const { protocol, hostname, username } = address.value;
      expect(protocol).toBe("https:");
      expect(username).toBe("");
      expect(hostname).toMatch(/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/);
      expect(hostname).not.toMatch(/^[\d.]+$/);
    }),
  );
});
