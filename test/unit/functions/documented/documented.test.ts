import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { declareFunction } from "../../../../src/functions/declare.ts";
import { GroupWorld } from "../group-world.ts";
import { shout } from "./shout.ts";

const root = new URL("../../../../", import.meta.url);

let world: GroupWorld | undefined;
afterEach(() => world?.stop());

describe("the function that docs/functions.md adds", () => {
  it("is the one that is compiled and run here", () => {
    const text = readFileSync(new URL("docs/functions.md", root), "utf8");
    const [, documented = ""] = /```ts\n\/\/ src\/functions\/shout\/function\.ts\n(.*?)```/s.exec(text) ?? [];
    const compiled = readFileSync(new URL("shout.ts", import.meta.url), "utf8");
    expect(documented).toBe(compiled.replace("../../../../src/functions/declare.ts", "../declare.ts"));
    expect(documented.split("\n").length).toBeLessThanOrEqual(11);
  });

  it("is called for every record", async () => {
    world = new GroupWorld();
    const said: unknown[] = [];
    const { create, ...settings } = declareFunction(shout);
    const unused = (): never => {
      throw new Error("the function asks for nothing of the kind");
    };
    const services = {
      binding: unused,
      endpoint: unused,
      fetch: unused,
      analyses: { request: unused },
      readProgress: unused,
      clock: { now: Date.now, sleep: () => Promise.resolve() },
      logger: (_level: string, _event: string, fields: unknown) => void said.push(fields),
      database: { query: () => Promise.resolve([]), batch: () => Promise.resolve() },
    };
    world.add("shout", create(services), settings);
    world.publish(30);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all were called", () => said.length === 30);
    expect(said[0]).toEqual({ item: "key-0" });
  });
});
