import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LocalFile } from "../../local/home.ts";
import { comparable, runSteps, stepsOf } from "./support/document.ts";
import { npmStart } from "./support/home.ts";

/** What differs from one run to the next. */
const changing = new Set(["id", "secret", "createdAt", "expiresAt"]);

describe("the subscriptions' document", () => {
  const folder = mkdtempSync(join(tmpdir(), "gavel-subscriptions-"));
  const home = join(folder, ".gavel");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("works when it is pasted, step by step, and answers what is printed there", async () => {
    mkdirSync(home);
    await npmStart({ home });
    const steps = stepsOf("docs/subscriptions.md", "By hand");
    expect(steps.filter(({ answer }) => answer !== undefined)).toHaveLength(3);
    const { answers, stderr } = runSteps(steps, folder);
    expect(stderr).toBe("");
    for (const [index, { command, answer }] of steps.entries()) {
      if (answer === undefined) continue;
      const answered = comparable(JSON.parse(answers[index] ?? ""), changing);
      expect({ command, answer: answered }).toEqual({ command, answer: comparable(answer, changing) });
    }
    // The last step removes it, and prints nothing.
    expect(answers[steps.length - 1]?.trim()).toBe("");
    expect(await subscriptions()).toEqual([]);
  });

  it("holds across a restart, for subscribers on this machine as well", async () => {
    const gavel = await npmStart({ home });
    const made = await request("POST", { url: "http://127.0.0.1:9/hook" });
    expect(made.status).toBe(201);
    const before = await subscriptions();
    expect(before).toHaveLength(1);
    await gavel.stop();
    await npmStart({ home });
    expect(await subscriptions()).toEqual(before);
  });

  function request(method: string, body?: object): Promise<Response> {
    const { url, keys } = JSON.parse(readFileSync(join(home, "local.json"), "utf8")) as LocalFile;
    return fetch(`${url}/v1/subscriptions`, {
      method,
      headers: { authorization: `Bearer ${keys.operator}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async function subscriptions(): Promise<unknown[]> {
    const response = await request("GET");
    return ((await response.json()) as { subscriptions: unknown[] }).subscriptions;
  }
});
