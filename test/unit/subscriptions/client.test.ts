import { expect, test } from "vitest";
import type { SubscriptionsRpc } from "../../../durable-objects/subscriptions/rpc.ts";
import { createSubscriptionsClient } from "../../../src/subscriptions/client.ts";

/** An object whose first calls fail; a stand-in, since a real one cannot be made to on the spot. */
function failing(failures: number, error: Error) {
  const names: string[] = [];
  const getByName = (name: string): Partial<SubscriptionsRpc> => {
    names.push(name);
    const fails = names.length <= failures;
    return {
      list: () => (fails ? Promise.reject(error) : Promise.resolve([])),
      remove: () => (fails ? Promise.reject(error) : Promise.resolve(true)),
    };
  };
  return { names, client: createSubscriptionsClient({ getByName }) };
}

const reset = new Error("the object was reset");

test("what only reads is asked once more, of a new stub", async () => {
  const { names, client } = failing(1, reset);
  expect(await client.read((object) => object.list())).toEqual([]);
  expect(names).toEqual(["subscriptions", "subscriptions"]);
});

test("a change is made once: whether it took effect is open when it fails", async () => {
  const { names, client } = failing(1, reset);
  const change = client.change((object) => object.remove("id", "operator"));
  await expect(change).rejects.toMatchObject({
    code: "subscriptions-unavailable",
    status: 503,
    cause: reset,
  });
  expect(names).toHaveLength(1);
});

test("an overloaded object is not asked again, and one that keeps failing twice at most", async () => {
  const overloaded = failing(9, Object.assign(new Error("overloaded"), { overloaded: true }));
  await expect(overloaded.client.read((object) => object.list())).rejects.toMatchObject({ status: 503 });
  expect(overloaded.names).toHaveLength(1);
  const dead = failing(9, reset);
  await expect(dead.client.read((object) => object.list())).rejects.toMatchObject({ status: 503 });
  expect(dead.names).toHaveLength(2);
});
