import fc from "fast-check";
import { expect, test } from "vitest";
import { StoredTimers, type Timer } from "../../../durable-objects/storage/timers.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), due: fc.nat(30), item: fc.nat(40) }),
  fc.record({ kind: fc.constant("remove" as const), item: fc.nat(40) }),
  fc.record({ kind: fc.constant("pop" as const) }),
  fc.record({ kind: fc.constant("flush" as const) }),
);

function soonestOf(timers: ReadonlyMap<string, Timer>): Timer | null {
  const sorted = [...timers.values()].sort((left, right) => {
    return left.due - right.due || (left.itemId < right.itemId ? -1 : 1);
  });
  return sorted[0] ?? null;
}

test("the first timer is the soonest of all, whatever was added, removed and written, and after a restart", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const storage = memoryStorage();
      const timers = new StoredTimers(storage, 3);
      const model = new Map<string, Timer>();
      for (const action of steps) {
        const timer = action.kind === "pop" ? timers.first : undefined;
        if (action.kind === "add" && !model.has(String(action.item))) {
          const added = { due: action.due, itemId: String(action.item) };
          model.set(added.itemId, added);
          timers.add(added);
        } else if (action.kind === "remove") {
          const removed = model.get(String(action.item));
          if (removed !== undefined) timers.remove(removed);
          model.delete(String(action.item));
        } else if (timer !== undefined && timer !== null) {
          timers.remove(timer);
          model.delete(timer.itemId);
        } else if (action.kind === "flush") {
          timers.flush();
        }
        expect(timers.first).toEqual(soonestOf(model));
      }
      timers.flush();
      expect(new StoredTimers(storage, 3).first).toEqual(soonestOf(model));
    }),
    { numRuns: 300 },
  );
});
