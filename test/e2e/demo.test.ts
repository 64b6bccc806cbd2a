import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { kafka } from "./support/log.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "gavel-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the demo, drawing beside the repository. @returns what it printed. */
async function demo(...args: string[]): Promise<string> {
  const picture = join(folder, "picture.svg");
  const log = kafka === undefined ? [] : ["--kafka", kafka.join(",")];
  const child = spawn("npm", ["run", "--silent", "demo", "--", "--picture", picture, ...log, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  expect(code).toBe(0);
  return printed;
}

/** A table's row by its auction's number: what was paid, and what eBay published. */
function pricesOf(printed: string, auction: string): { price?: string; published?: string } {
  const [, , , , price, published] = (
    printed.split("\n").find((line) => line.startsWith(auction)) ?? ""
  ).split(/\s+/);
  return { ...(price && { price }), ...(published && { published }) };
}

describe("npm run demo", () => {
  it("closes 490 of 492 real auctions at the published price, and names the two that contradict their own bids", async () => {
    const printed = await demo();
    expect(printed).toContain("closing prices as published: 490 of 492");
    expect(printed).toContain("differing: 3016587753, 3017736272");
    expect(printed).toContain("8728 bids: 4263 accepted, 4465 rejected");
    expect(pricesOf(printed, "3016587753")).toEqual({ price: "5.00", published: "255.00" });
    expect(pricesOf(printed, "3017736272")).toEqual({ price: "255.00", published: "238.00" });
    const drawn = readFileSync(join(folder, "picture.svg"), "utf8");
    expect(drawn).toBe(readFileSync(join(root, "docs", "images", "auction.svg"), "utf8"));
  });

  it("shows another price when one bid in a copy of the file is another", async () => {
    const original = readFileSync(join(root, "demo", "ebay-auctions.csv"), "utf8");
    const bid = "2920320059,palm-pilot,3,1,b0690,25686,232949088,25686";
    expect(original.split(/\r?\n/)).toContain(bid);
    const copy = join(folder, "changed.csv");
    writeFileSync(copy, original.replace(bid, bid.replace("b0690,25686", "b0690,25786")));
    const printed = await demo("--file", copy);
    expect(pricesOf(printed, "2920320059")).toEqual({ price: "257.86", published: "256.86" });
    expect(printed).toContain("closing prices as published: 489 of 492");
    expect(printed).toContain("differing: 2920320059, 3016587753, 3017736272");
  });
});
