import { expect, test } from "vitest";
import { uuidv7 } from "../../../src/lib/uuid.ts";

test("an id is a UUID of version 7 that carries its millisecond", () => {
  const now = 1795487016017;
  const id = uuidv7(now);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
});

test("ids are distinct and sort in the order in which they were made", () => {
  const ids = [1_000, 1_001, 1_002].flatMap((now) => Array.from({ length: 5_000 }, () => uuidv7(now)));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

test("two runs in one millisecond do not make the same ids", () => {
  const first = uuidv7(5_000);
  uuidv7(6_000);
  expect(uuidv7(5_000)).not.toBe(first);
});
