import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { answered } from "../edge/client.ts";
import { listed, operate, path, removeAll, subscribe, subscriptionsObject } from "./world.ts";

/** Everything that the Worker and its objects write to their logs while this file runs. */
const lines: string[] = [];

beforeAll(() => {
  for (const method of ["log", "warn", "error", "info", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      lines.push(words.map(String).join(" "));
    });
  }
});

afterAll(() => void vi.restoreAllMocks());

/** The text of an answer, headers included. */
async function textOf(response: Response | Promise<Response>): Promise<string> {
  const { status, headers } = await response;
  return `${status} ${JSON.stringify([...headers])} ${await (await response).text()}`;
}

test("a secret is in the one answer that makes it, and in no later answer and no log line", async () => {
  await removeAll();
  const { id, secret } = await subscribe();
  const rotated = await answered<{ secret: string }>(
    operate(`${path}/${id}/secrets`, { method: "POST" }),
    201,
  );
  const another = await subscribe();
  const texts: string[] = [];
  const note = async (to: string, options: Parameters<typeof operate>[1] = {}): Promise<void> => {
    texts.push(await textOf(operate(to, options)));
  };
  await note(path);
  await note(`${path}/${id}`);
  await subscriptionsObject().disable(id, "The endpoint answered 410 Gone", Date.now());
  await abortAllDurableObjects();
  await note(`${path}/${id}`);
  await note(`${path}/${id}/enable`, { method: "POST" });
  await note(`${path}/${id}/enable`, { body: { secret } });
  await note(`${path}/${id}/secrets`, { body: { secret } });
  await note(path, { body: { url: "https://hooks.example.com", secret } });
  await note(`${path}/${id}`, { method: "DELETE" });
  await note(`${path}/${id}`);
  await note(path);
  expect(texts).toHaveLength(10);
  const told = [...texts, ...lines].join("\n");
  for (const made of [secret, rotated.secret, another.secret]) {
    expect(made).toMatch(/^whsec_/);
    expect(told).not.toContain(made.slice("whsec_".length));
  }
  expect(told).not.toContain("whsec_");
});

test("every change leaves one audit line, with who, by which request of which trace, what and which subscription", async () => {
  await removeAll();
  lines.length = 0;
  const { id } = await subscribe();
  await operate(`${path}/${id}/secrets`, { method: "POST" });
  await subscriptionsObject().disable(id, "The endpoint answered 410 Gone", Date.now());
  await operate(`${path}/${id}/enable`, { method: "POST" });
  await operate(`${path}/${id}`, { method: "DELETE" });
  expect(await listed()).toEqual([]);
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const audits = entries.filter(({ event }) => event === "audit");
  const common = { level: "info", event: "audit", subscription: id, version: expect.any(Number) as number };
  const by = {
    credential: "operator",
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  };
  expect(audits).toEqual([
    { ...common, action: "subscription.created", ...by },
    { ...common, action: "subscription.secret-rotated", ...by },
    { ...common, action: "subscription.disabled", group: "notify", reason: "The endpoint answered 410 Gone" },
    { ...common, action: "subscription.enabled", ...by },
    { ...common, action: "subscription.removed", ...by },
  ]);
  const requests = entries.filter(({ event }) => event === "request");
  expect(requests).toContainEqual(
    expect.objectContaining({ route: `${path}/:id/secrets`, subscription: id, status: 201 }),
  );
});
