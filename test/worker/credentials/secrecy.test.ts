import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { answered, keys, newBid } from "../edge/client.ts";
import { claims, Issuer, newSigningKey, sign } from "./issuer.ts";
import { formsOf, Isolate, watchLogs } from "./world.ts";

const { TEST_LIMIT_5 } = env as unknown as Record<string, RateLimit>;

/** Everything that is written to the logs while this file runs. */
let lines: string[];

beforeAll(() => {
  lines = watchLogs();
});
afterAll(() => void vi.restoreAllMocks());

/** Credentials that were sent. */
const sent: string[] = [];
/** What was answered, headers included. */
const answers: string[] = [];

async function send(
  gateway: Isolate,
  credential: string,
  headers: Record<string, string> = {},
): Promise<number> {
  sent.push(credential);
  const call = { as: credential, headers, body: newBid("lamp-of-nobody") };
  const response = await gateway.call("/v1/bids", call);
  answers.push(`${JSON.stringify([...response.headers])} ${await response.text()}`);
  return response.status;
}

test("no refusal writes a credential, or its hash, to the logs or into an answer; each is a line with its code", async () => {
  const issuer = new Issuer();
  const [key, forger] = [await newSigningKey(), await newSigningKey()];
  await issuer.serve([key]);
  const gateway = new Isolate({ ...issuer.settings, CORS_ORIGINS: "https://shop.example.com" });
  const statuses: number[] = [];
  const note = async (...attempt: Parameters<typeof send>) => void statuses.push(await send(...attempt));

  // Keys: unknown, with a wrong secret, revoked, without the scope, malformed, and pasted in the wrong place.
  const { id, key: made } = await answered<{ id: string; key: string }>(
    gateway.call("/v1/keys", { body: { scopes: ["bids:write"] } }),
    201,
  );
  await gateway.call(`/v1/keys/${id}`, { method: "DELETE" });
  await note(gateway, "gvl_hunter2hunter2_hunter3hunter3");
  await note(gateway, "gvl_backend_wrongwrongwrongwrong");
  await note(gateway, made);
  await note(gateway, `${made}wrongwrong`);
  await note(gateway, keys.operator);
  await note(gateway, `${keys.backend}!`);
  await note(gateway, keys.backend.replace("gvl_", ""));
  await note(gateway, keys.backend.replace("gvl_backend_", "gvl_").concat("_x"));
  // Tokens: expired, forged, for a subject that cannot be, without the scope, unknown key, unreadable keys.
  await note(gateway, await sign(key, claims({ exp: 1 })));
  await note(gateway, await sign({ ...forger, kid: key.kid }));
  await note(gateway, await sign(key, claims({ sub: "hunter4|hunter4" })));
  await note(gateway, await sign(key, claims({ scope: "hunter5hunter5" })));
  await note(gateway, await sign(forger));
  const cutOff = new Isolate({ ...issuer.settings, JWT_JWKS_URL: "http://127.0.0.1:9/keys" });
  await note(cutOff, await sign(key));
  // Refused for where it comes from, and for too many of them.
  await note(gateway, keys.backend, { origin: "https://evil.example.com", upgrade: "websocket" });
  const limited = new Isolate({ RATE_LIMIT_CREDENTIAL: TEST_LIMIT_5, RATE_LIMIT_CREDENTIAL_QUOTA: "5/60" });
  for (let again = 0; again < 12; again += 1) await send(limited, keys.client);
  await note(limited, keys.client);
  // The database away.
  const DATABASE = { prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error("away")) }) }) };
  await note(new Isolate({ DATABASE }), made);

  expect(statuses).toEqual([
    401, 401, 401, 401, 403, 401, 401, 401, 401, 401, 403, 403, 401, 503, 403, 429, 503,
  ]);
  const requests = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event, route }) => event === "request" && route === "/v1/bids");
  expect(requests).toHaveLength(sent.length);
  expect(
    requests.filter(({ status }) => Number(status) >= 400).every(({ code }) => typeof code === "string"),
  ).toBe(true);
  const of = (code: string) => requests.filter((line) => line["code"] === code);
  expect(of("unauthenticated")).toHaveLength(10);
  expect(of("missing-scope").map(({ credential }) => credential)).toEqual(["operator", "ada"]);
  expect(of("rate-limited").every(({ credential }) => credential === "client")).toBe(true);
  expect(of("forbidden-origin")).toHaveLength(1);

  const told = [...lines, ...answers].join("\n");
  expect(told.length).toBeGreaterThan(5_000);
  for (const credential of new Set(sent)) {
    for (const form of await formsOf(credential)) expect(told, credential).not.toContain(form);
  }
  for (const word of ["hunter", "wrong", made.split("_")[2] ?? "", keys.backend.split("_")[2] ?? ""]) {
    expect(word).not.toBe("");
    expect(lines.join("\n").replaceAll("signature is wrong", "")).not.toContain(word);
  }
});
