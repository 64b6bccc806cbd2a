import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mostSubscriptions } from "../../../src/subscriptions/subscription.ts";
import { plainSettings, SubscriptionsWorld } from "./subscriptions-world.ts";

const hour = 3_600_000;
const day = 24 * hour;
const nobody = "01a20b5e-de70-7cda-8cae-dedce463b188";

describe("a subscription", () => {
  test("is kept as it was made, with who made it and when, across a restart", () => {
    const world = new SubscriptionsWorld();
    const filter = { types: ["gavel.bidder.won.v1"], all: [{ field: "amount", from: 100 }] };
    const { id } = world.create({ filter, order: "partition", from: "earliest" });
    const kept = {
      ...plainSettings,
      ...{ id, filter, order: "partition", from: "earliest", status: "active" },
      ...{ createdAt: world.now, createdBy: "operator", secrets: [{ createdAt: world.now }] },
    };
    expect(world.core.get(id)).toEqual(kept);
    expect(world.restart().list()).toEqual([kept]);
  });

  test("has an id that sorts behind those made before it", () => {
    const world = new SubscriptionsWorld();
    const ids = Array.from({ length: 20 }, (_, index) => {
      world.now += index % 3;
      return world.create().id;
    });
    expect(world.core.list().map(({ id }) => id)).toEqual(ids);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("is refused beyond the bound, until another is removed", () => {
    const world = new SubscriptionsWorld();
    const ids = Array.from({ length: mostSubscriptions }, () => world.create().id);
    const before = world.delivered().version;
    expect(world.core.create(plainSettings, "operator")).toEqual({ kind: "full" });
    expect(world.delivered().version).toBe(before);
    expect(world.core.list()).toHaveLength(mostSubscriptions);
    expect(world.core.remove(ids[50] ?? "", "operator")).toBe(true);
    world.create();
    expect(world.core.list()).toHaveLength(mostSubscriptions);
  });

  test("that is removed leaves nothing, its secret neither", () => {
    const world = new SubscriptionsWorld();
    const { id, secret } = world.create();
    expect(world.core.remove(id, "operator")).toBe(true);
    expect(world.core.get(id)).toBeNull();
    expect(world.delivered().secrets).toEqual({});
    expect(world.rowsWith(secret)).toBe(0);
    expect(world.core.remove(id, "operator")).toBe(false);
  });
});

describe("secrets", () => {
  test("are whsec_ and 32 bytes in base64, each another", () => {
    const world = new SubscriptionsWorld();
    const secrets = Array.from({ length: 50 }, () => world.create().secret);
    expect(new Set(secrets).size).toBe(50);
    for (const secret of secrets) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
      expect(Buffer.from(secret.slice("whsec_".length), "base64")).toHaveLength(32);
    }
  });

  test("are in no answer but the one that makes them, and in those to partitions", () => {
    const world = new SubscriptionsWorld();
    const { id, secret } = world.create();
    const rotated = world.core.rotate(id, "operator");
    const answers = [
      rotated?.subscription,
      world.core.get(id),
      world.core.list(),
      world.core.enable(id, "o"),
    ];
    world.core.disable(id, "The endpoint answered 410", world.now);
    const told = JSON.stringify([answers, world.core.enable(id, "o"), world.lines, world.audits]);
    for (const made of [secret, rotated?.secret ?? ""]) expect(told).not.toContain(made.slice(6));
    expect(world.delivered().secrets[id]).toEqual([rotated?.secret, secret]);
  });

  test("that are rotated stay valid for a day beside the new one", () => {
    const world = new SubscriptionsWorld();
    const first = world.create();
    world.now += hour;
    const rotatedAt = world.now;
    const second = world.core.rotate(first.id, "operator");
    expect(world.core.get(first.id)?.secrets).toEqual([
      { createdAt: rotatedAt },
      { createdAt: rotatedAt - hour, expiresAt: rotatedAt + day },
    ]);
    world.now = rotatedAt + day - 1;
    expect(world.delivered().secrets[first.id]).toEqual([second?.secret, first.secret]);
    world.now = rotatedAt + day;
    expect(world.delivered().secrets[first.id]).toEqual([second?.secret]);
    expect(world.core.get(first.id)?.secrets).toEqual([{ createdAt: rotatedAt }]);
  });

  test("that have expired are deleted at the next start", () => {
    const world = new SubscriptionsWorld();
    const { id, secret } = world.create();
    const newest = world.core.rotate(id, "operator")?.secret ?? "";
    world.now += day;
    world.restart();
    expect(world.rowsWith(secret)).toBe(0);
    expect(world.rowsWith(newest)).toBe(1);
  });

  test("are two at most: a third rotation drops the oldest", () => {
    const world = new SubscriptionsWorld();
    const { id, secret } = world.create();
    const second = world.core.rotate(id, "operator")?.secret ?? "";
    world.now += hour;
    const third = world.core.rotate(id, "operator")?.secret ?? "";
    expect(world.delivered().secrets[id]).toEqual([third, second]);
    expect(world.rowsWith(secret)).toBe(0);
    expect(world.core.get(id)?.secrets[1]?.expiresAt).toBe(world.now + day);
  });
});

describe("a disabled subscription", () => {
  test("tells why and since when, and is as before once it is enabled", () => {
    const world = new SubscriptionsWorld();
    const { id } = world.create();
    const before = world.core.get(id);
    world.now += hour;
    expect(world.core.disable(id, "The endpoint answered 410", world.now - 5)).toBe("disabled");
    expect(world.restart().get(id)).toEqual({
      ...before,
      ...{ status: "disabled", disabledReason: "The endpoint answered 410", disabledAt: world.now - 5 },
    });
    world.now += hour;
    expect(world.core.enable(id, "operator")).toEqual({ ...before, enabledAt: world.now });
  });

  test("is disabled once: the call that did it is told so again, any other is not", () => {
    const world = new SubscriptionsWorld();
    const { id } = world.create();
    expect(world.core.disable(id, "gone", 1)).toBe("disabled");
    const { version } = world.delivered();
    expect(world.core.disable(id, "gone", 1)).toBe("disabled");
    expect(world.core.disable(id, "gone", 2)).toBe("unchanged");
    expect(world.core.disable(id, "dead for days", 1)).toBe("unchanged");
    expect(world.delivered().version).toBe(version);
    expect(world.core.get(id)).toMatchObject({ disabledReason: "gone", disabledAt: 1 });
  });

  test("is not disabled again for what was seen before it was enabled", () => {
    const world = new SubscriptionsWorld();
    const { id } = world.create();
    world.core.disable(id, "gone", world.now);
    world.now += hour;
    world.core.enable(id, "operator");
    expect(world.core.disable(id, "gone", world.now - 1)).toBe("unchanged");
    expect(world.core.get(id)?.status).toBe("active");
    expect(world.core.disable(id, "gone", world.now + 1)).toBe("disabled");
  });
});

test("what is not there is told as such by every operation, and changes nothing", () => {
  const world = new SubscriptionsWorld();
  expect(world.core.get(nobody)).toBeNull();
  expect(world.core.remove(nobody, "operator")).toBe(false);
  expect(world.core.rotate(nobody, "operator")).toBeNull();
  expect(world.core.enable(nobody, "operator")).toBeNull();
  expect(world.core.disable(nobody, "gone", world.now)).toBe("unknown");
  expect([world.audits, world.told]).toEqual([[], []]);
});

describe("the version", () => {
  test("tells whoever has it that nothing changed, and everybody else everything", () => {
    const world = new SubscriptionsWorld();
    expect(world.core.changesSince(null)).toEqual({ version: 0, subscriptions: [] });
    expect(world.core.changesSince(0)).toBe("unchanged");
    const { id } = world.create();
    const { version } = world.delivered();
    expect(world.core.changesSince(version)).toBe("unchanged");
    expect(world.core.changesSince(version - 1)).toMatchObject({ version, subscriptions: [{ id }] });
    expect(world.restart().changesSince(version)).toBe("unchanged");
  });

  test("rises with each change, also of two in one millisecond and when the clock is set back", () => {
    const world = new SubscriptionsWorld();
    world.create();
    world.create();
    world.now -= hour;
    world.create();
    const [first = 0, ...others] = world.told;
    expect(others).toEqual([first + 1, first + 2]);
  });

  test("of an object that lost what it had is above every one that it told before", () => {
    const world = new SubscriptionsWorld();
    world.create();
    world.create();
    const seen = world.delivered().version;
    const emptied = new SubscriptionsWorld();
    emptied.now = world.now + 1_000;
    emptied.create();
    expect(emptied.delivered().version).toBeGreaterThan(seen);
  });
});

type Step = { readonly kind: "create" | "remove" | "rotate" | "enable" | "disable"; readonly at: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("create", "remove", "rotate", "rotate", "enable", "disable"),
    at: fc.nat(7),
  }),
  { maxLength: 60 },
);

test("whatever is done: one version, one audit line and one telling a change, and no more than two secrets", () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat(30 * hour), { minLength: 60, maxLength: 60 }), (script, pauses) => {
      const world = new SubscriptionsWorld();
      const made: string[] = [];
      for (const [index, { kind, at }] of script.entries()) {
        world.now += pauses[index] ?? 0;
        const before = { ...world.delivered(), views: world.core.list() };
        if (kind === "create") made.push(world.create().id);
        else perform(world, kind, made[at] ?? nobody);
        const after = { ...world.delivered(), views: world.core.list() };
        const isChange =
          JSON.stringify([after.views, after.secrets]) !== JSON.stringify([before.views, before.secrets]);
        expect(after.version > before.version).toBe(isChange);
        if (isChange) expect(world.told.at(-1)).toBe(after.version);
        for (const { secrets } of after.views) {
          expect(secrets.length).toBeGreaterThanOrEqual(1);
          expect(secrets.length).toBeLessThanOrEqual(2);
          expect(secrets[0]?.expiresAt).toBeUndefined();
        }
      }
      expect(world.audits.map(({ fields }) => fields.version)).toEqual(world.told);
      expect(world.told.toSorted((left, right) => left - right)).toEqual(world.told);
      expect(new Set(world.told).size).toBe(world.told.length);
    }),
  );
});

function perform({ core, now }: SubscriptionsWorld, kind: Exclude<Step["kind"], "create">, id: string): void {
  if (kind === "disable") core.disable(id, "gone", now);
  else core[kind](id, "operator");
}

describe("a change", () => {
  test("is audited once, with who made it and what it was", () => {
    const world = new SubscriptionsWorld();
    const { id } = world.create();
    world.core.rotate(id, "ops-2");
    world.core.disable(id, "gone", world.now);
    world.core.enable(id, "ops-2");
    world.core.enable(id, "ops-2");
    world.core.remove(id, "operator");
    const versions = world.told;
    expect(world.audits.map(({ level, event, fields }) => ({ level, event, ...fields }))).toEqual(
      [
        { action: "subscription.created", credential: "operator" },
        { action: "subscription.secret-rotated", credential: "ops-2" },
        { action: "subscription.disabled", group: "notify", reason: "gone" },
        { action: "subscription.enabled", credential: "ops-2" },
        { action: "subscription.removed", credential: "operator" },
      ].map((entry, index) => ({
        ...{ level: "info", event: "audit", subscription: id, version: versions[index] },
        ...entry,
      })),
    );
  });

  test("stands where the partitions cannot be told, with a line that says so", async () => {
    const world = new SubscriptionsWorld();
    world.tellPartitions = () => Promise.reject(new Error("1 of 8 partitions: reset"));
    const { id } = world.create();
    await new Promise((resolve) => setTimeout(resolve));
    expect(world.core.get(id)?.status).toBe("active");
    const { version } = world.delivered();
    expect(world.lines).toEqual([
      {
        level: "warn",
        event: "partitions-not-told",
        fields: { version, error: "Error: 1 of 8 partitions: reset" },
      },
    ]);
  });
});
