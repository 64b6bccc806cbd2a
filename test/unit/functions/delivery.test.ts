import { expect, it } from "vitest";
import { Delivery } from "../../../durable-objects/functions/delivery.ts";
import { playDelivery } from "./delivery-model.ts";

it("a function is called in order and never twice at a time per lane, misses nothing and ends each record once, through failures, crashes and what operators do", () => {
  const { crashes, failure } = playDelivery(300, Delivery);
  expect(failure).toBeNull();
  expect(crashes).toBeGreaterThan(400);
});
