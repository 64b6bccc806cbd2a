import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog } from "./harness.ts";

export function describeWebhook(makeLog: MakeLog): void {
  describe("webhook", () => {
    let harness: Harness;
    const topics = { hooks: 1, keyed: 4, query: 1, addresses: 1, empty: 1, refused: 1 };
    beforeAll(async () => {
      harness = await Harness.start(makeLog, topics, { maxRecordBytes: 1_000 });
    });
    afterAll(() => harness.stop());

    const credentials = () => {
      const [user = "", pass = ""] = Buffer.from(harness.authorization.slice("Basic ".length), "base64")
        .toString()
        .split(":");
      return new URLSearchParams({ user, pass }).toString();
    };

    test("the body is the value as it is, and what the headers say of the event is kept", async () => {
      const body = '{"action" : "opened"}\n';
      const headers = { "x-github-event": "issues", "ce-id": "1", "content-type": "application/json" };
      const { status, body: metadata } = await harness.send("/webhook?topic=hooks", body, { headers });
      expect({ status, metadata }).toMatchObject({
        status: 200,
        metadata: { topic: "hooks", partition: 0, offset: 0 },
      });
      const [record] = await harness.fetch("hooks", 0, 0);
      expect(record).toMatchObject({ key: "", value: body });
      expect(new Set(record?.headers)).toEqual(
        new Set([
          { key: "x-github-event", value: "issues" },
          { key: "ce-id", value: "1" },
        ]),
      );
    });

    test("neither a client's address nor a credential comes into the record", async () => {
      const secret = "a-secret";
      const names = [
        [
          "x-forwarded-for",
          "forwarded",
          "x-real-ip",
          "true-client-ip",
          "cf-connecting-ip",
          "cf-connecting-ipv6",
        ],
        ["x-client-ip", "x-cluster-client-ip", "fastly-client-ip", "x-original-forwarded-for", "remote-addr"],
        ["x-envoy-external-address", "x-azure-clientip", "fly-client-ip", "x-vercel-forwarded-for", "via"],
        ["cookie", "proxy-authorization", "x-forwarded", "x-forwarded-host", "x-real-ip-v6", "client-ip"],
      ].flat();
      const headers = Object.fromEntries(names.map((name) => [name, secret]));
      await harness.send("/webhook?topic=addresses", "v", { headers: { ...headers, "x-kept": "1" } });
      const [record] = await harness.fetch("addresses", 0, 0);
      expect(record?.headers).toEqual([{ key: "x-kept", value: "1" }]);
    });

    test("a key chooses the partition, as for a produce", async () => {
      const { body } = await harness.send<{ partition: number }>("/webhook?topic=keyed&key=item-1", "hook");
      const [produced] = await harness.produce([{ topic: "keyed", key: "item-1", value: "produced" }]);
      expect(produced?.partition).toBe(body.partition);
      const records = await harness.fetch("keyed", body.partition, 0);
      expect(records.map(({ key, value }) => [key, value])).toEqual([
        ["item-1", "hook"],
        ["item-1", "produced"],
      ]);
    });

    test("credentials may be in the query, of this path alone", async () => {
      const query = `topic=query&${credentials()}`;
      const without = { authorization: null };
      expect(await harness.send(`/webhook?${query}`, "v", without)).toMatchObject({ status: 200 });
      expect(await harness.send(`/webhook/?${query}`, "w", without)).toMatchObject({ status: 200 });
      for (const path of [`/topics?${query}`, "/webhook?topic=query", "/webhook?topic=query&user=x&pass=y"]) {
        expect(await harness.send(path, undefined, without)).toMatchObject({ status: 401 });
      }
      expect(await harness.fetch("query", 0, 0)).toMatchObject([
        { value: "v", headers: [] },
        { value: "w", headers: [] },
      ]);
    });

    test("a GET without a body is an empty value", async () => {
      expect(await harness.send("/webhook?topic=empty")).toMatchObject({ status: 200 });
      expect(await harness.fetch("empty", 0, 0)).toMatchObject([{ value: "" }]);
    });

    test("what cannot be a record is refused, and nothing of it is written", async () => {
      const latin = Buffer.from("caf\u00e9", "latin1");
      expect(await harness.send("/webhook?topic=refused", latin)).toMatchObject({ status: 400 });
      expect(await harness.send("/webhook", "v")).toMatchObject({ status: 400 });
      expect(await harness.send("/webhook?topic=nowhere", "v")).toMatchObject({ status: 404 });
      expect(await harness.send("/webhook?topic=refused", "x".repeat(2_000))).toMatchObject({ status: 413 });
      expect(await harness.fetch("refused", 0, 0)).toEqual([]);
    });
  });
}
