import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { OpenApiDocument } from "../../contract/document.ts";
import type { GavelProcess } from "../../local/gavel-process.ts";
import { startBrowser } from "../support/browser.ts";
import { operationsOf } from "../support/contract/reading.ts";
import { freshHome, npmStartUnattended } from "../e2e/support/home.ts";

const sizes = [
  { name: "a telephone", width: 390, height: 844 },
  { name: "a desk", width: 1280, height: 800 },
] as const;

let gavel: GavelProcess;
let browser: Browser;
let document: OpenApiDocument;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  [gavel, browser] = await Promise.all([npmStartUnattended({ home: freshHome() }), startBrowser()]);
  document = (await (await fetch(`${gavel.local.url}/openapi.json`)).json()) as OpenApiDocument;
}, 120_000);
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});
afterAll(async () => {
  await browser.close();
  await gavel.stop();
});

interface Visit {
  readonly page: Page;
  /** Of every request that the page made. */
  readonly requested: string[];
  /** What the browser refused or could not do. */
  readonly complaints: string[];
}

async function visit(path: string, viewport: { width: number; height: number }): Promise<Visit> {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  const page = await context.newPage();
  const requested: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requested.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(gavel.local.url + path);
  await page.locator(".opblock").first().waitFor();
  return { page, requested, complaints };
}

/** How much wider than its window the page is, in pixels. */
function overflow(page: Page): Promise<number> {
  const script = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  return page.evaluate<number>(script);
}

describe.each(sizes)("the page on $name", (size) => {
  test("shows every operation, and asks no other host for anything", async () => {
    const { page, requested, complaints } = await visit("/docs", size);
    expect(await page.locator(".opblock").count()).toBe(operationsOf(document).length);
    const folder = process.env["SCREENSHOTS"];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/docs-${size.width}.png` });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    const elsewhere = requested.filter(
      (url) => !url.startsWith(`${gavel.local.url}/`) && !url.startsWith("data:"),
    );
    expect(requested.length).toBeGreaterThan(4);
    expect(elsewhere).toEqual([]);
  });

  test("tells of an operation what it takes, answers and is refused with", async () => {
    const { page, complaints } = await visit("/docs#/Writing/postBids", size);
    const operation = page.locator("#operations-Writing-postBids");
    await operation.locator(".responses-table").first().waitFor();
    const told = await operation.innerText();
    expect(told).toContain("Idempotency-Key");
    for (const status of ["200", "202", "207", "401", "422", "503"]) expect(told).toContain(status);
    const folder = process.env["SCREENSHOTS"];
    if (folder !== undefined) {
      await page.screenshot({ path: `${folder}/operation-${size.width}.png` });
    }
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
});

describe("the page with a keyboard alone", () => {
  test("an operation is reached and opened, and what has the focus is marked", async () => {
    const { page } = await visit("/docs", sizes[1]);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toMatchObject({ text: "Skip to the operations", isVisible: true });
    await page.keyboard.press("Enter");
    let place = await focused(page);
    for (let presses = 0; presses < 40 && !place.text.includes("/v1/items"); presses += 1) {
      await page.keyboard.press("Tab");
      place = await focused(page);
    }
    expect(place.text).toContain("/v1/items");
    expect(place.outline).not.toBe("none");
    expect(await page.locator(".opblock.is-open").count()).toBe(0);
    await page.keyboard.press("Enter");
    await page.locator(".opblock.is-open").first().waitFor();
    expect(await page.locator(".opblock.is-open").count()).toBe(1);
  });
});

describe("a request made on the page", () => {
  test("is answered by the gateway, with the credential that was entered, which is not kept", async () => {
    const { page, complaints } = await visit("/docs#/System/getHealth", sizes[1]);
    const operation = page.locator("#operations-System-getHealth");
    await operation.getByRole("button", { name: "Try it out" }).click();
    await operation.getByRole("button", { name: "Execute" }).click();
    await operation.locator(".live-responses-table .response-col_status").first().waitFor();
    expect(await operation.locator(".live-responses-table").innerText()).toContain('"status": "ok"');
    expect(await page.evaluate<number>("localStorage.length")).toBe(0);
    expect(complaints).toEqual([]);
  });
});

interface Focus {
  readonly text: string;
  readonly isVisible: boolean;
  readonly outline: string;
}

function focused(page: Page): Promise<Focus> {
  return page.evaluate<Focus>(`(() => {
    const element = document.activeElement ?? document.body;
    return {
      text: element.innerText,
      isVisible: element.getBoundingClientRect().left >= 0,
      outline: getComputedStyle(element).outlineStyle,
    };
  })()`);
}
