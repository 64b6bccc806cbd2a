import { describe, expect, test } from "vitest";
import { createDatabaseProfiles } from "../../../src/functions/enrich/database-profiles.ts";
import { createEnrich, type EnrichPolicy } from "../../../src/functions/enrich/enrich.ts";
import { LookUpError, type ProfileSource } from "../../../src/functions/enrich/profile-source.ts";
import type { Invoke, Outcome } from "../../../src/functions/function.ts";
import { deleteProfile, putProfile } from "../../../src/profiles/store.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { memoryDatabase, type TestDatabase } from "../../support/sqlite-database.ts";

const second = 1_000;

/** Enrich over a real SQLite, with a clock and a source that are watched and disturbed. */
class World {
  readonly database: TestDatabase = memoryDatabase();
  now = Date.parse("2026-11-25T12:00:00.000Z");
  /** Ids of each look-up. */
  readonly lookUps: string[][] = [];
  /** Log events. */
  readonly logged: string[] = [];
  /** What a look-up waits for, where it waits. */
  gate: Promise<void> = Promise.resolve();
  failing: Error | null = null;
  /** How old the source's own copy is. */
  sourceLagMs = 0;
  readonly enrich: Invoke;
  #sequence = 0;

  constructor(policy: Partial<EnrichPolicy> = {}, capacity?: number) {
    const clock = { now: () => this.now, sleep: () => Promise.resolve() };
    const table = createDatabaseProfiles(this.database, {
      ...clock,
      now: () => this.now - this.sourceLagMs,
    });
    const source: ProfileSource = {
      find: async (ids) => {
        this.lookUps.push([...ids].toSorted());
        await this.gate;
        if (this.failing !== null) throw this.failing;
        return table.find(ids);
      },
    };
    this.enrich = createEnrich({
      source,
      clock,
      policy: { maximumAgeMs: 60 * second, stale: "reload", missing: "pass", ...policy },
      logger: (_, event) => void this.logged.push(event),
      ...(capacity === undefined ? {} : { capacity }),
    });
  }

  put(id: string, displayName: string): Promise<boolean> {
    return putProfile(this.database, id, { displayName }, this.now);
  }

  record(seller: string, winner?: string) {
    this.#sequence += 1;
    const itemId = `item-${this.#sequence}`;
    const auction =
      winner === undefined
        ? completedAuction(itemId, { sellerId: seller, outcome: "unsold" })
        : completedAuction(itemId, {
            sellerId: seller,
            winner: { bidderId: winner, bidId: "b", partition: 3, offset: 1 },
          });
    return completedRecord(auction, this.#sequence);
  }

  /** What became of one event of a seller and a winner. */
  async outcome(seller: string, winner?: string): Promise<Outcome | undefined> {
    const { outcomes } = await this.enrich(invocationOf([this.record(seller, winner)]));
    return outcomes[0];
  }

  /** The profiles of one event that goes on. */
  async profiles(seller: string, winner?: string): Promise<unknown> {
    const outcome = await this.outcome(seller, winner);
    if (outcome?.status !== "done") throw new Error(`not done: ${JSON.stringify(outcome)}`);
    return outcome.outputs?.[0]?.data["profiles"];
  }
}

describe("a completed auction goes on", () => {
  test("as it is in the log, with both profiles and how old they are, by one look-up for a whole call", async () => {
    const world = new World();
    await putProfile(
      world.database,
      "ada",
      { displayName: "Ada", country: "NL", rating: 4.5, attributes: { since: 2019 } },
      world.now - 3 * second,
    );
    await world.put("ben", "Ben");
    const first = world.record("ada", "ben");
    const second_ = world.record("ada");
    const { outcomes, failure } = await world.enrich(invocationOf([first, second_]));
    expect(failure).toBeUndefined();
    const asOf = new Date(world.now).toISOString();
    const ada = {
      displayName: "Ada",
      country: "NL",
      rating: 4.5,
      attributes: { since: 2019 },
      updatedAt: new Date(world.now - 3 * second).toISOString(),
      asOf,
      ageMs: 0,
    };
    const ben = { displayName: "Ben", updatedAt: asOf, asOf, ageMs: 0 };
    const output = (value: string, profiles: object) => ({
      status: "done",
      outputs: [
        {
          topic: "validated",
          type: "gavel.item.validated.v1",
          data: { ...(JSON.parse(value) as object), profiles },
        },
      ],
    });
    expect(outcomes).toEqual([
      output(first.value, { seller: ada, winner: ben }),
      output(second_.value, { seller: ada, winner: null }),
    ]);
    expect(world.lookUps).toEqual([["ada", "ben"]]);
    expect(world.database.asked.slice(2)).toEqual([1]);
  });

  test("with fields that this Gavel does not know", async () => {
    const world = new World();
    const record = world.record("ada");
    const value = JSON.stringify({ ...(JSON.parse(record.value) as object), hammer: "gold" });
    const { outcomes } = await world.enrich(invocationOf([{ ...record, value }]));
    expect(outcomes[0]).toMatchObject({ outputs: [{ data: { hammer: "gold" } }] });
  });

  test("not where it cannot be read: that is rejected, also while the source is away", async () => {
    const world = new World();
    world.failing = new Error("away");
    const unreadable = { ...world.record("ada"), value: "{" };
    const { outcomes, failure } = await world.enrich(invocationOf([unreadable, world.record("ada")]));
    expect(outcomes).toEqual([{ status: "reject", reason: "its value is not JSON" }, undefined]);
    expect(failure).toEqual({ reason: "Error: away" });
  });
});

describe("an outage of the source", () => {
  test("is a failure of the whole call, with the wait that the source asks for, and no event goes on", async () => {
    const world = new World({ missing: "pass" });
    world.failing = new LookUpError("The look-up answers 429", 7_000);
    const call = invocationOf([world.record("ada"), world.record("ben", "cem")]);
    expect(await world.enrich(call)).toEqual({
      outcomes: [undefined, undefined],
      failure: { reason: "LookUpError: The look-up answers 429", delayMs: 7_000 },
    });
    world.failing = null;
    await world.put("ada", "Ada");
    expect((await world.enrich(call)).failure).toBeUndefined();
  });

  test("does not hold up the events of the call whose profiles are kept and fresh enough", async () => {
    const world = new World();
    await world.put("ada", "Ada");
    await world.profiles("ada");
    world.failing = new Error("away");
    const call = invocationOf([world.record("ada"), world.record("ada", "new")]);
    expect(await world.enrich(call)).toMatchObject({
      outcomes: [{ status: "done" }, undefined],
      failure: { reason: "Error: away" },
    });
  });

  test("does not touch what is kept and fresh enough", async () => {
    const world = new World();
    await world.put("ada", "Ada");
    await world.profiles("ada");
    world.failing = new Error("away");
    world.now += 60 * second;
    expect(await world.profiles("ada")).toMatchObject({ seller: { displayName: "Ada", ageMs: 60 * second } });
  });
});

describe("a profile that is kept too long", () => {
  test("with reload: is looked up again before the event goes on, or the call fails", async () => {
    const world = new World({ stale: "reload" });
    await world.put("ada", "Ada");
    await world.profiles("ada");
    await world.put("ada", "Ada Lovelace");
    world.now += 60 * second + 1;
    world.failing = new Error("away");
    expect(await world.enrich(invocationOf([world.record("ada")]))).toMatchObject({
      failure: { reason: "Error: away" },
    });
    world.failing = null;
    expect(await world.profiles("ada")).toMatchObject({ seller: { displayName: "Ada Lovelace", ageMs: 0 } });
  });

  test("with use: is used at once and says its age, and the next event has the new one", async () => {
    const world = new World({ stale: "use" });
    await world.put("ada", "Ada");
    await world.profiles("ada");
    await world.put("ada", "Ada Lovelace");
    world.now += 90 * second;
    let open = (): void => undefined;
    world.gate = new Promise((resolve) => {
      open = resolve;
    });
    expect(await world.profiles("ada")).toMatchObject({ seller: { displayName: "Ada", ageMs: 90 * second } });
    expect(await world.profiles("ada")).toMatchObject({ seller: { displayName: "Ada", ageMs: 90 * second } });
    open();
    await expect
      .poll(() => world.profiles("ada"))
      .toMatchObject({
        seller: { displayName: "Ada Lovelace", ageMs: 0 },
      });
    // The first, and one behind two events.
    expect(world.lookUps).toEqual([["ada"], ["ada"]]);
  });

  test("with use: stops no event while the source is away, which is logged", async () => {
    const world = new World({ stale: "use" });
    await world.put("ada", "Ada");
    await world.profiles("ada");
    world.failing = new Error("away");
    for (const minutes of [2, 4, 6]) {
      world.now += 120 * second;
      expect(await world.profiles("ada")).toMatchObject({ seller: { ageMs: minutes * 60 * second } });
      await expect.poll(() => world.logged.length).toBe(minutes / 2);
    }
    expect(world.logged).toEqual(Array.from({ length: 3 }, () => "profiles-not-renewed"));
    expect(await world.enrich(invocationOf([world.record("ben")]))).toMatchObject({ failure: {} });
  });

  test("with use: while the source is away, only the events that need what was never looked up wait", async () => {
    const world = new World({ stale: "use" });
    await world.put("ada", "Ada");
    await world.profiles("ada");
    world.failing = new LookUpError("The look-up answers 429", 7_000);
    const call = invocationOf([world.record("ada"), world.record("ada", "new"), world.record("new")]);
    const waits = { status: "retry", reason: "LookUpError: The look-up answers 429", delayMs: 7_000 };
    expect(await world.enrich(call)).toEqual({
      outcomes: [expect.objectContaining({ status: "done" }), waits, waits],
    });
  });

  test("with use: leaves the memory when the source no longer has it", async () => {
    const world = new World({ stale: "use", missing: "reject" });
    await world.put("ada", "Ada");
    await world.profiles("ada");
    await deleteProfile(world.database, "ada");
    world.now += 61 * second;
    expect(await world.outcome("ada")).toMatchObject({ status: "done" });
    await expect.poll(() => world.outcome("ada")).toMatchObject({ status: "reject" });
  });

  test("with fail: is not used where the source itself has nothing newer, and the event is tried again", async () => {
    const world = new World({ stale: "fail" });
    await world.put("ada", "Ada");
    world.sourceLagMs = 61 * second;
    expect(await world.outcome("ada")).toEqual({
      status: "retry",
      reason: "The source's profile of ada is 61000 ms old",
    });
    world.sourceLagMs = 59 * second;
    expect(await world.profiles("ada")).toMatchObject({ seller: { ageMs: 59 * second } });
  });

  test("with reload: what the source has is used, however old its copy is", async () => {
    const world = new World({ stale: "reload" });
    await world.put("ada", "Ada");
    world.sourceLagMs = 600 * second;
    expect(await world.profiles("ada")).toMatchObject({ seller: { ageMs: 600 * second } });
  });
});

describe("a profile that is not there", () => {
  test("with pass: the event goes on without it", async () => {
    const world = new World({ missing: "pass" });
    await world.put("ben", "Ben");
    expect(await world.profiles("ada", "ben")).toMatchObject({
      seller: null,
      winner: { displayName: "Ben" },
    });
  });

  test("with park: the event alone is tried again, and goes on once there is one", async () => {
    const world = new World({ missing: "park" });
    await world.put("ben", "Ben");
    const call = invocationOf([world.record("ada"), world.record("ben")]);
    expect((await world.enrich(call)).outcomes).toMatchObject([
      { status: "retry", reason: "There is no profile of ada" },
      { status: "done" },
    ]);
    await world.put("ada", "Ada");
    expect((await world.enrich(call)).outcomes).toMatchObject([{ status: "done" }, { status: "done" }]);
  });

  test("with reject: the event is a dead letter", async () => {
    const world = new World({ missing: "reject" });
    await world.put("ada", "Ada");
    expect(await world.outcome("ada", "nobody")).toEqual({
      status: "reject",
      reason: "There is no profile of nobody",
    });
  });

  test("that cannot be read is none of these: the event is tried again, and others go on", async () => {
    const world = new World({ missing: "pass" });
    await world.put("ada", "Ada");
    await world.put("ben", "Ben");
    world.database.sqlite.exec("UPDATE profiles SET profile = '{\"rating\": \"high\"}' WHERE id = 'ada'");
    const { outcomes } = await world.enrich(invocationOf([world.record("ada"), world.record("ben")]));
    expect(outcomes).toMatchObject([
      { status: "retry", reason: "What the source has of ada is no profile" },
      { status: "done" },
    ]);
  });

  test("any more is kept no longer than its age allows", async () => {
    const world = new World({ missing: "reject" });
    await world.put("ada", "Ada");
    await world.profiles("ada");
    await deleteProfile(world.database, "ada");
    world.now += 60 * second;
    expect(await world.outcome("ada")).toMatchObject({ status: "done" });
    world.now += 1;
    expect(await world.outcome("ada")).toMatchObject({ status: "reject" });
  });
});

describe("look-ups", () => {
  test("of calls at the same time ask for no id twice, and each gets what it asked for", async () => {
    const world = new World();
    for (const id of ["ada", "ben", "cem"]) await world.put(id, id);
    let open = (): void => undefined;
    world.gate = new Promise((resolve) => {
      open = resolve;
    });
    const calls = Promise.all([
      world.profiles("ada", "ben"),
      world.profiles("ben", "cem"),
      world.profiles("ada"),
    ]);
    open();
    expect(await calls).toMatchObject([
      { seller: { displayName: "ada" }, winner: { displayName: "ben" } },
      { seller: { displayName: "ben" }, winner: { displayName: "cem" } },
      { seller: { displayName: "ada" }, winner: null },
    ]);
    expect(world.lookUps).toEqual([["ada", "ben"], ["cem"]]);
  });

  test("that fail fail every call that waits for them, and are made again by the next", async () => {
    const world = new World();
    await world.put("ada", "Ada");
    world.failing = new Error("away");
    const calls = await Promise.all([1, 2, 3].map(() => world.enrich(invocationOf([world.record("ada")]))));
    expect(calls.map(({ failure }) => failure?.reason)).toEqual([
      "Error: away",
      "Error: away",
      "Error: away",
    ]);
    expect(world.lookUps).toEqual([["ada"]]);
    world.failing = null;
    expect(await world.profiles("ada")).toMatchObject({ seller: { displayName: "Ada" } });
  });

  test("keep a bounded number of profiles, those that were used last", async () => {
    const world = new World({}, 10);
    for (let index = 0; index < 100; index += 1) await world.put(`id-${index}`, `${index}`);
    for (let index = 0; index < 100; index += 1) await world.profiles(`id-${index}`);
    world.lookUps.length = 0;
    for (let index = 99; index >= 0; index -= 1) await world.profiles(`id-${index}`);
    const kept = 100 - world.lookUps.length;
    expect(kept).toBeGreaterThanOrEqual(10);
    expect(kept).toBeLessThanOrEqual(20);
    expect(world.lookUps.at(-1)).toEqual(["id-0"]);
  });
});

test("a profile that changes rewrites no event: what was made once is not made of the new one", async () => {
  const world = new World();
  await world.put("ada", "Ada");
  const record = world.record("ada");
  const { outcomes } = await world.enrich(invocationOf([record]));
  const made = JSON.stringify(outcomes);
  await world.put("ada", "Ada Lovelace");
  world.now += 3_600 * second;
  // A crash before the outbox had it: the record is called again, and is what it is by then.
  const again = await world.enrich(invocationOf([{ ...record, attempt: 2 }]));
  expect(JSON.stringify(outcomes)).toBe(made);
  expect(again.outcomes).toMatchObject([
    { outputs: [{ data: { profiles: { seller: { displayName: "Ada Lovelace" } } } }] },
  ]);
});
