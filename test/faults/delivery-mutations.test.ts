/** Proof that the model of a function on a partition bites: with a safeguard taken out it fails. */
import { describe, expect, test } from "vitest";
import { type DeliveryConstructor, playDelivery } from "../unit/functions/delivery-model.ts";
import { deliveryMutations } from "./delivery-mutations.ts";
import { loadMutated } from "./mutations.ts";

const withinSeeds = 3_000;

describe("the model of a function on a partition notices an engine without", () => {
  for (const mutation of deliveryMutations) {
    test(mutation.name, async () => {
      const entry = "durable-objects/functions/delivery.ts";
      const { Delivery } = await loadMutated<{ readonly Delivery: DeliveryConstructor }>(entry, mutation);
      const { failure } = playDelivery(withinSeeds, Delivery);
      console.log(`${mutation.name}\n${failure?.split("\n", 1)[0]}`);
      expect(failure).not.toBeNull();
    });
  }
});
