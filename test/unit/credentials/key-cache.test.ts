import { beforeEach, describe, expect, test } from "vitest";
import { makeKey } from "../../../src/credentials/api-key.ts";
import { sha256 } from "../../../src/lib/sha256.ts";
import { KeyCache, type LookUpRequest } from "../../../src/credentials/key-cache.ts";
import { addKey, findKey, revokeKey } from "../../../src/credentials/key-store.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { memoryDatabase, type TestDatabase } from "../../support/sqlite-database.ts";

let database: TestDatabase;
let now: number;
let cache: KeyCache;
let work: Promise<unknown>[];

/** Time passes while somebody sleeps, and when a test says so. */
const clock: Clock = {
  now: () => now,
  sleep: async (milliseconds) => {
    now += milliseconds;
    await Promise.resolve();
  },
};

const request: LookUpRequest = {
  beforeReading: () => Promise.resolve(),
  waitUntil: (one) => void work.push(one),
};

async function add(id: string): Promise<void> {
  const hash = sha256(makeKey(id));
  const scopes = ["read"] as const;
  await addKey(database, {
    id,
    sha256: hash,
    scopes,
    subject: undefined,
    createdAt: now,
    createdBy: "operator",
  });
}

/** Whether the key opens something, and what was begun beside the request is done. */
async function opens(id: string): Promise<boolean> {
  const key = await cache.find(id, request);
  await Promise.all(work);
  return key !== null && !key.isRevoked;
}

/** Reads of the database since the last look. */
function reads(): number {
  return database.asked.splice(0).length;
}

beforeEach(async () => {
  database = memoryDatabase();
  now = 1_700_000_000_000;
  work = [];
  cache = new KeyCache((id) => findKey(database, id), clock);
  await add("app");
  reads();
});

describe("a key of the database", () => {
  test("is read once in half a minute, however often it is used", async () => {
    for (let second = 0; second < 30; second += 1) {
      expect(await opens("app")).toBe(true);
      now += 999;
    }
    expect(reads()).toBe(1);
  });

  test.each([1, 7, 29, 31, 45, 59, 61, 300])(
    "that is revoked opens nothing a minute later, used every %i s",
    async (every) => {
      for (let used = 0; used < 10; used += 1) {
        expect(await opens("app")).toBe(true);
        now += every * 1000;
      }
      await opens("app");
      await revokeKey(database, "app", "operator", now);
      const revokedAt = now;
      while (now < revokedAt + 60_000) {
        now += every * 1000;
        await opens("app");
      }
      expect(await opens("app")).toBe(false);
    },
  );

  test("that is not used between opens nothing after the minute either", async () => {
    await opens("app");
    await revokeKey(database, "app", "operator", now);
    now += 59_999;
    expect(await cache.find("app", request)).toMatchObject({ isRevoked: false });
    // What was begun beside that request never ends.
    work = [];
    now += 1;
    expect(await opens("app")).toBe(false);
  });

  test("goes on through an outage of the database until a minute after its last read, and not longer", async () => {
    await opens("app");
    database.faults.push("before", "before", "before");
    now += 31_000;
    expect(await opens("app")).toBe(true);
    now += 28_999;
    expect(await opens("app")).toBe(true);
    now += 1;
    await expect(opens("app")).rejects.toMatchObject({ code: "database-unavailable", status: 503 });
    expect(await opens("app")).toBe(true);
  });

  test("is read again by one request of those that use it meanwhile", async () => {
    await opens("app");
    reads();
    now += 30_000;
    await Promise.all(Array.from({ length: 50 }, () => opens("app")));
    expect(reads()).toBe(1);
  });

  test("keeps what was read last where an older read ends later", async () => {
    const answers: (() => void)[] = [];
    const slow = new KeyCache(async (id) => {
      const key = await findKey(database, id);
      await new Promise<void>((resolve) => void answers.push(resolve));
      return key;
    }, clock);
    const first = slow.find("app", request);
    await settled();
    await revokeKey(database, "app", "operator", now);
    now += 2_000;
    const second = slow.find("app", request);
    await settled();
    answers[1]?.();
    expect(await second).toMatchObject({ isRevoked: true });
    answers[0]?.();
    await first;
    expect(await slow.find("app", request)).toMatchObject({ isRevoked: true });
  });
});

describe("an id that is no key's", () => {
  test("is asked for once in ten seconds, and a key that is made then is taken after that", async () => {
    for (let tries = 0; tries < 100; tries += 1) expect(await opens("new")).toBe(false);
    expect(reads()).toBe(1);
    await add("new");
    now += 9_999;
    expect(await opens("new")).toBe(false);
    now += 1;
    expect(await opens("new")).toBe(true);
  });

  test("is forgotten at once where its key is made", async () => {
    expect(await opens("new")).toBe(false);
    await add("new");
    cache.forget("new");
    expect(await opens("new")).toBe(true);
  });

  test("drives out no key, however many are tried", async () => {
    await opens("app");
    for (let tries = 0; tries < 5_000; tries += 1) await opens(`made-up-${tries}`);
    reads();
    expect(await opens("app")).toBe(true);
    expect(reads()).toBe(0);
  });

  test("reads nothing where the request may not", async () => {
    const refused = { ...request, beforeReading: () => Promise.reject(new Error("too many")) };
    await expect(cache.find("made-up", refused)).rejects.toThrow("too many");
    expect(reads()).toBe(0);
    expect(await cache.find("app", request)).not.toBeNull();
  });
});

describe("requests for one key at once", () => {
  test("read it once, and count once as unknown", async () => {
    let counted = 0;
    const counting = { ...request, beforeReading: () => Promise.resolve(void (counted += 1)) };
    const found = await Promise.all(Array.from({ length: 200 }, () => cache.find("app", counting)));
    expect(found.every((key) => key?.id === "app")).toBe(true);
    expect(reads()).toBe(1);
    expect(counted).toBe(1);
  });

  test("do not wait for one that never comes back, as of a request that was cut off", async () => {
    let asked = 0;
    const stuck = new KeyCache((id) => {
      asked += 1;
      return asked === 1 ? new Promise(() => undefined) : findKey(database, id);
    }, clock);
    void stuck.find("app", request);
    await settled();
    expect(await stuck.find("app", request)).toMatchObject({ id: "app" });
    expect(asked).toBe(2);
  });
});

/** Everything that waits for nothing but promises is done. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
