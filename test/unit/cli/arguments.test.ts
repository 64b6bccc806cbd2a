import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readArguments } from "../../../cli/arguments.ts";
import { commands } from "../../../cli/commands.ts";
import { UsageError } from "../../../cli/failure.ts";
import { findTarget } from "../../../cli/target.ts";
import { usageOf } from "../../../cli/usage.ts";

const home = mkdtempSync(join(tmpdir(), "gavel-cli-"));
const local = { url: "http://127.0.0.1:8787", keys: { operator: "gvl_operator_local" } };
writeFileSync(join(home, "local.json"), JSON.stringify(local));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("it was taken");
};

describe("a command line", () => {
  it("names a command, its parameters and options in any order", () => {
    expect(
      readArguments(["seek", "--skip", "notify", "3", "--json", "17", "--url", "http://x"]),
    ).toMatchObject({
      ...{ kind: "run", isJson: true, parameters: ["notify", "3", "17"], target: { url: "http://x" } },
      ...{ command: { name: "seek" }, values: { skip: true } },
    });
  });

  it("takes what stands behind -- as it is, so that a key may begin with a hyphen", () => {
    expect(readArguments(["retry", "notify", "3", "--", "-key"])).toMatchObject({
      parameters: ["notify", "3", "-key"],
    });
  });

  it.each([[], ["help"], ["--help"], ["-h"], ["help", "seek"], ["seek", "--help"], ["seek", "-h"]])(
    "asks for help: %s %s",
    (...args) => {
      expect(readArguments(args.filter((one) => one !== undefined))).toMatchObject({ kind: "help" });
    },
  );

  it.each([
    ["nope"],
    ["__proto__"],
    ["seek", "notify", "3"],
    ["seek", "notify", "3", "4", "5"],
    ["groups", "notify"],
    ["lag", "--wipe"],
    ["seek", "notify", "3", "-1"],
    ["lag", "--json=yes"],
    ["parked", "notify", "0", "--limit"],
  ])("is not understood: %s %s %s", (...args) => {
    expect(refusal(() => readArguments(args.filter((one) => one !== undefined)))).not.toBe("");
  });

  it("has help for every command, in lines of at most 80 characters", () => {
    for (const command of [undefined, ...commands]) {
      const lines = usageOf(command).split("\n");
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    }
    for (const { name } of commands) expect(usageOf(undefined)).toContain(`  ${name} `);
  });
});

describe("the gateway and the key", () => {
  it("come from the flags, else the environment, else what npm start wrote", () => {
    const environment = { GAVEL_HOME: home, GAVEL_URL: "https://a.example/", GAVEL_KEY: "from-environment" };
    expect(findTarget({ url: "https://b.example", key: "from-flag" }, environment)).toEqual({
      ...{ url: "https://b.example", key: "from-flag" },
    });
    expect(findTarget({}, environment)).toEqual({ url: "https://a.example", key: "from-environment" });
    expect(findTarget({}, { GAVEL_HOME: home })).toEqual({ url: local.url, key: local.keys.operator });
    expect(findTarget({ key: "mine" }, { GAVEL_HOME: home })).toEqual({ url: local.url, key: "mine" });
  });

  it("of this machine is for no other gateway", () => {
    expect(refusal(() => findTarget({ url: "https://b.example" }, { GAVEL_HOME: home }))).toContain(
      "which key",
    );
    expect(refusal(() => findTarget({}, { GAVEL_HOME: home, GAVEL_URL: "https://b.example" }))).toContain(
      "which key",
    );
  });

  it("are asked for where there is none", () => {
    expect(refusal(() => findTarget({}, { GAVEL_HOME: join(home, "none") }))).toContain("which gateway");
    writeFileSync(join(home, "run.json"), "{");
    expect(refusal(() => findTarget({ key: "x" }, { GAVEL_HOME: join(home, "run.json") }))).toContain(
      "gateway",
    );
  });

  it("are not repeated where they are refused", () => {
    const texts = [
      refusal(() => findTarget({ url: "https://user:hunter2@b.example", key: "x" }, {})),
      refusal(() => findTarget({ url: "ftp://hunter2.example", key: "x" }, {})),
      refusal(() => findTarget({ url: "https://b.example", key: "hunter2\nx: y" }, {})),
      refusal(() => findTarget({ url: "https://b.example", key: "hunter2 ü" }, {})),
    ];
    for (const text of texts) expect(text).not.toContain("hunter2");
  });
});
