import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { createSigner, newSecret } from "../../../../src/functions/http/signature.ts";

/** The vector that Standard Webhooks' own libraries are tested with. */
const vector = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  message: { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: 1_614_265_330_000, body: '{"test": 2432232314}' },
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};

test("a message is signed as the published vector says", () => {
  expect(createSigner([vector.secret])(vector.message)).toBe(vector.signature);
});

test("milliseconds of the attempt do not count, since the header has seconds", () => {
  const message = { ...vector.message, at: vector.message.at + 999 };
  expect(createSigner([vector.secret])(message)).toBe(vector.signature);
});

test("while secrets change, a message carries the signature of each, newest first", () => {
  const newer = newSecret();
  const [first, second, ...others] = createSigner([newer, vector.secret])(vector.message).split(" ");
  expect(first).toBe(createSigner([newer])(vector.message));
  expect(second).toBe(vector.signature);
  expect(others).toEqual([]);
});

describe("a receiver verifies what was signed", () => {
  const [older, newer] = [newSecret(), newSecret()];
  const id = "auction.notifications/3/41/notify";
  const at = Date.now();
  const body = '{"title":"Stühle 😀"}';
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": createSigner([newer, older])({ id, at, body }),
  };

  test("with either of two secrets", () => {
    for (const secret of [older, newer]) {
      expect(new Webhook(secret).verify(body, headers)).toEqual({ title: "Stühle 😀" });
    }
  });

  test("and refuses another secret, body, id or time", () => {
    expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow("No matching signature");
    const webhook = new Webhook(newer);
    expect(() => webhook.verify(`${body} `, headers)).toThrow("No matching signature");
    expect(() => webhook.verify(body, { ...headers, "webhook-id": `${id}2` })).toThrow(
      "No matching signature",
    );
    const later = String(Math.floor(at / 1000) + 1);
    expect(() => webhook.verify(body, { ...headers, "webhook-timestamp": later })).toThrow(
      "No matching signature",
    );
  });
});

test("a signer needs a secret that is one", () => {
  expect(() => createSigner([])).toThrow("without a secret");
  expect(() => createSigner(["whsec_!!!"])).toThrow(Error);
  expect(() => createSigner(["whsec_"])).toThrow(Error);
});

test("a new secret is of 32 random bytes, as the specification writes them", () => {
  const secrets = Array.from({ length: 50 }, () => newSecret());
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(atob(secret.slice("whsec_".length))).toHaveLength(32);
  }
});
