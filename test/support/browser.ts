import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";

/**
 * A real Chromium: the package brings its binary, so that nothing is downloaded. Started as a user's
 * is, with what keeps pages of different origins apart; only the sandbox of the operating system, which
 * needs rights that a container lacks, is off.
 */
export async function startBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}
