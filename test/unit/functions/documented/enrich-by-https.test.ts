import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createGuardedFetch } from "../../../../src/functions/http/guarded-fetch.ts";
import { systemClock } from "../../../../src/lib/clock.ts";
import { completedAuction, completedRecord, invocationOf } from "../../../support/completed-records.ts";
import { enrich } from "./enrich-by-https.ts";

const root = new URL("../../../../", import.meta.url);

/** The services that the function gets; others it does not ask for. */
function servicesWith(answer: (url: string) => Response) {
  const unused = (): never => {
    throw new Error("the function asks for nothing of the kind");
  };
  return {
    binding: unused,
    endpoint: unused,
    analyses: { request: unused },
    readProgress: unused,
    clock: systemClock,
    logger: unused,
    database: { query: unused, batch: unused },
    fetch: createGuardedFetch({
      fetch: (url) => Promise.resolve(answer(url)),
      allowLoopback: false,
    }),
  };
}

const call = invocationOf([completedRecord(completedAuction("lamp-1", { sellerId: "ada" }), 1)]);

describe("the look-up by HTTPS that docs/enrich.md declares", () => {
  test("is the one that is compiled and run here", () => {
    const text = readFileSync(new URL("docs/enrich.md", root), "utf8");
    const [, documented] = /```ts\n\/\/ src\/functions\/enrich\/function\.ts\n(.*?)```/s.exec(text) ?? [];
    const compiled = readFileSync(new URL("enrich-by-https.ts", import.meta.url), "utf8");
    const moved = compiled
      .replaceAll("../../../../src/functions/enrich/", "./")
      .replaceAll("../../../../src/functions/", "../")
      .replaceAll("../../../../src/", "../../");
    expect(documented).toBe(moved);
  });

  test("asks the address that it names, by the fetch that judges addresses", async () => {
    const asked: string[] = [];
    const invoke = enrich.create(
      servicesWith((url) => {
        asked.push(url);
        return Response.json({ profiles: [{ id: "ada", displayName: "Ada" }] });
      }),
    );
    expect((await invoke(call)).outcomes).toMatchObject([
      { status: "done", outputs: [{ data: { profiles: { seller: { displayName: "Ada" } } } }] },
    ]);
    expect(asked).toEqual(["https://profiles.example.com/look-up"]);
  });

  test("takes a redirect for no answer", async () => {
    const invoke = enrich.create(
      servicesWith(() => new Response(null, { status: 302, headers: { location: "https://10.0.0.1/" } })),
    );
    expect(await invoke(call)).toMatchObject({
      failure: { reason: "LookUpError: The look-up answers 302" },
    });
  });
});
