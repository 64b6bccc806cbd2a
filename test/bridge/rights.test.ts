import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { authenticator, User } from "../../bridge/http/auth.ts";
import { allRights, type Grant, grantedRights } from "../../bridge/http/rights.ts";
import { type Bridge, startBridge } from "../../bridge/server.ts";
import { makeSqliteLog } from "./sqlite-support.ts";

const basic = (text: string) => `Basic ${Buffer.from(text, "latin1").toString("base64")}`;
const user = (name: string, ...grants: Grant[]) =>
  User.withPassword(name, `${name}-password`, grantedRights(grants));

describe("rights per topic and verb", () => {
  let bridge: Bridge;
  let remove: () => Promise<void>;
  beforeAll(async () => {
    const made = await makeSqliteLog({
      "auction.bids": 2,
      "auction.items": 2,
      "auctions-secret": 1,
      other: 1,
    });
    ({ remove } = made);
    const users = [
      user("admin", { verbs: ["produce", "fetch", "consume"], topics: ["*"] }),
      user("gateway", { verbs: ["produce", "fetch"], topics: ["auction.*"] }),
      user("reader", { verbs: ["fetch"], topics: ["auction.bids"] }),
      user("consumer", { verbs: ["consume"], topics: ["auction.items"] }),
      user("nothing"),
    ];
    bridge = await startBridge({ log: made.log, port: 0, users });
  });
  afterAll(async () => {
    await bridge.stop();
    await remove();
  });

  const send = async (name: string, path: string, body?: unknown) => {
    const response = await fetch(bridge.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: basic(`${name}:${name}-password`) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const statuses = ({ body }: { body: unknown }) =>
    (body as { status?: number }[]).map(({ status }) => status ?? 200);
  const everything = async () => {
    const values = async (topic: string, partition: number) => {
      const { body } = await send("admin", "/fetch", { topic, partition, offset: 0, timeout: 0 });
      return (body as { value: string }[]).map(({ value }) => value);
    };
    return Promise.all([values("auction.bids", 0), values("auction.bids", 1), values("other", 0)]);
  };

  test("a reader reads its topic, and neither writes it nor reads another one", async () => {
    await send("gateway", "/produce", { topic: "auction.bids", partition: 0, value: "first" });
    const position = { topic: "auction.bids", partition: 0, offset: 0, timeout: 0 };
    expect(await send("reader", "/fetch", position)).toMatchObject({
      status: 200,
      body: [{ value: "first" }],
    });
    expect(await send("reader", "/offsets/latest", position)).toMatchObject({
      status: 200,
      body: [{ offset: 1 }],
    });

    const before = await everything();
    const refused = {
      status: 403,
      body: { error: "these credentials may not produce auction.bids", status: 403 },
    };
    const record = { topic: "auction.bids", partition: 0, value: "forged" };
    expect(await send("reader", "/produce", record)).toEqual(refused);
    expect(await send("reader", "/produce", [record, record])).toEqual(refused);
    expect(await send("reader", "/produce/auction.bids", { value: "forged" })).toEqual(refused);
    expect(await send("reader", "/produce/auction.bids/forged")).toEqual(refused);
    expect(await everything()).toEqual(before);
    for (const topic of ["auction.items", "other"]) {
      expect(await send("reader", "/fetch", { ...position, topic })).toMatchObject({ status: 403 });
      expect(await send("reader", "/offsets/earliest", { topic, partition: 0 })).toMatchObject({
        status: 403,
      });
    }
  });

  test("one topic out of reach refuses a whole fetch or offsets request, before anything is read", async () => {
    const mine = { topic: "auction.bids", partition: 0, offset: 0 };
    const more = { ...mine, topicPartitionOffsets: [{ ...mine, topic: "other" }], timeout: 0 };
    expect(await send("reader", "/fetch", more)).toMatchObject({
      status: 403,
      body: { error: "these credentials may not fetch other" },
    });
    expect(await send("reader", "/offsets/latest", [mine, { ...mine, topic: "other" }])).toMatchObject({
      status: 403,
    });
  });

  test("a topic out of reach answers the same whether it exists or not", async () => {
    const answers = async (topic: string, partition: number) => {
      const position = { topic, partition, offset: 0, timeout: 0 };
      const all = [
        await send("gateway", "/produce", { topic, partition, value: "v" }),
        await send("gateway", "/fetch", position),
        await send("gateway", "/offsets/latest", position),
      ];
      return JSON.stringify(all).replaceAll(topic, "<topic>");
    };
    const known = await answers("other", 0);
    expect(await answers("nowhere", 0)).toBe(known);
    expect(await answers("other", 9)).toBe(known);
    expect(await answers("auctions-secret", 0)).toBe(known);
    expect(known.match(/"status":403,"body"/g)).toHaveLength(3);
  });

  test("in a batch, a record out of reach has a 403 in its place, and fails what follows in its partition alone", async () => {
    const record = (topic: string, partition: number) => ({ topic, partition, value: "batch" });
    const answer = await send("gateway", "/produce", [
      record("auction.bids", 1),
      record("other", 0),
      record("auction.items", 0),
      record("other", 0),
      record("auction.bids", 1),
    ]);
    expect(answer.status).toBe(200);
    expect(statuses(answer)).toEqual([200, 403, 200, 403, 200]);
    const [, bids, other] = await everything();
    expect([bids?.filter((value) => value === "batch").length, other]).toEqual([2, []]);
  });

  test("topics lists what some verb allows", async () => {
    const names = async (name: string) => Object.keys((await send(name, "/topics")).body as object);
    expect(await names("admin")).toEqual(["auction.bids", "auction.items", "auctions-secret", "other"]);
    expect(await names("gateway")).toEqual(["auction.bids", "auction.items"]);
    expect(await names("reader")).toEqual(["auction.bids"]);
    expect(await names("consumer")).toEqual(["auction.items"]);
    expect(await names("nothing")).toEqual([]);
  });
});

describe("grants", () => {
  test("a name is itself alone; a star ends the beginning of names, and is nothing else", () => {
    const rights = grantedRights([
      { verbs: ["fetch"], topics: ["a", "b.*"] },
      { verbs: ["produce"], topics: ["c"] },
    ]);
    const allowed = ["a", "a.b", "A", "b.", "b.x", "b", "bx", "b.*", "*", "", "c", "__proto__"].filter(
      (topic) => rights.allows("fetch", topic),
    );
    expect(allowed).toEqual(["a", "b.", "b.x", "b.*"]);
    expect(["a", "b.x", "c"].map((topic) => rights.allows("produce", topic))).toEqual([false, false, true]);
    expect(rights.allows("consume", "a")).toBe(false);
  });
});

describe("credentials", () => {
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const known = authenticator([
    User.withPassword("ada", "one:two", allRights),
    User.withDigest("lin", sha256("three"), { allows: () => false }),
  ]);

  test("name and password together give the rights, from a password and from a digest", () => {
    expect(known(basic("ada:one:two"))).toBe(allRights);
    expect(known(basic("lin:three"))?.allows("fetch", "a")).toBe(false);
  });

  test("anything else gives none", () => {
    const digestOfThree = sha256("three");
    const wrong = [
      "ada:one",
      "ada:",
      "ada",
      ":one:two",
      "ada:three",
      "lin:one:two",
      `lin:${digestOfThree}`,
      "lin",
      "nobody:",
      "",
      ":",
      "Ada:one:two",
      "ada:one:two ",
      "ada:one:two\0",
      "toString:x",
    ];
    for (const text of wrong) expect(known(basic(text))).toBeNull();
    for (const header of [
      undefined,
      "",
      "Basic",
      "Basic !",
      `Bearer ${Buffer.from("ada:one:two").toString("base64")}`,
    ]) {
      expect(known(header)).toBeNull();
    }
  });

  test("a name that nobody bears costs the same work: a password's digest and one comparison", () => {
    // Counted, not timed: a clock would tell of the machine.
    const compare = vi.spyOn(User.prototype, "hasPassword");
    for (const name of ["ada", "nobody-bears-this"]) expect(known(basic(`${name}:guess`))).toBeNull();
    expect(compare.mock.calls.map(([digest]) => digest.toString("hex"))).toEqual([
      sha256("guess"),
      sha256("guess"),
    ]);
    compare.mockRestore();
  });
});
