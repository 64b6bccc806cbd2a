import { describe, expect, test } from "vitest";
import { violationsOf } from "../support/history/checker.ts";
import type { Told } from "../support/history/history.ts";
import {
  acknowledged,
  answerBy,
  appendCopy,
  bidIds,
  goodRun,
  listingId,
  recordWith,
  type WritableEvidence,
} from "./history-world.ts";

const [first, second, third, fourth] = bidIds;

/** The last one of an event. */
function attemptOf(run: WritableEvidence, id: string) {
  const found = run.attempts.findLast(({ event }) => event.id === id);
  if (found === undefined) throw new Error(`nobody sent ${id}`);
  return found;
}

/** The event is sent once more, before its last attempt. */
function alsoTold(run: WritableEvidence, id: string, told: Told): void {
  const attempt = attemptOf(run, id);
  const earlier = { ...attempt, sentAt: attempt.sentAt - 2, endedAt: attempt.sentAt - 1, told };
  run.attempts.splice(run.attempts.indexOf(attempt), 0, earlier);
}

const unavailable: Told = { kind: "failed", status: 503, saysWhenToRetry: true };

/** Takes a record out and closes the gap. */
function remove(run: WritableEvidence, id: string): void {
  const [journal = []] = run.log.journal;
  journal.splice(journal.indexOf(recordWith(journal, id)), 1);
}

/** The violations of a run that was spoiled. */
function spoiled(
  spoil: (run: WritableEvidence, journal: WritableEvidence["log"]["journal"][number]) => void,
) {
  const run = goodRun();
  spoil(run, run.log.journal[0] ?? []);
  return violationsOf(run);
}

describe("a run stands", () => {
  test("in which all went well", () => {
    expect(spoiled(() => undefined)).toEqual([]);
  });

  test("in which a bid in doubt is in the log twice, and counts once", () => {
    const violations = spoiled((run, journal) => {
      alsoTold(run, fourth, unavailable);
      appendCopy(journal, fourth);
      answerBy(run);
    });
    expect(violations).toEqual([]);
  });

  test.each<[string, Told]>([
    ["a 503", unavailable],
    ["silence", { kind: "silence" }],
  ])("in which %s came before the acknowledgement and the log has one copy", (_, told) => {
    expect(spoiled((run) => alsoTold(run, second, told))).toEqual([]);
  });

  test("in which a gateway that met a broken log repeated a produce", () => {
    const violations = spoiled((run, journal) => {
      const { sentAt, endedAt } = attemptOf(run, fourth);
      run.disturbances.push({ from: sentAt, until: endedAt });
      appendCopy(journal, fourth);
      answerBy(run);
    });
    expect(violations).toEqual([]);
  });

  test("in which a bid was refused and is nowhere", () => {
    const violations = spoiled((run) => {
      attemptOf(run, fourth).told = { kind: "refused", status: 422 };
      remove(run, fourth);
      answerBy(run);
    });
    expect(violations).toEqual([]);
  });
});

describe("a run falls in which", () => {
  test("an acknowledged bid is lost", () => {
    const violations = spoiled((run, journal) => {
      journal.splice(journal.indexOf(recordWith(journal, fourth)), 1);
      answerBy(run);
    });
    expect(violations).toEqual([
      "bid-4 is lost: it was acknowledged at auction.bids/0/5, and is nowhere in the log",
    ]);
  });

  test("a bid is at another offset than was told", () => {
    const violations = spoiled((run, journal) => {
      attemptOf(run, fourth).told = acknowledged({ ...recordWith(journal, fourth), offset: 6 });
    });
    expect(violations).toEqual(["bid-4 was acknowledged at auction.bids/0/6, and is at auction.bids/0/5"]);
  });

  test("another bid is where this one was told to be", () => {
    const violations = spoiled((run, journal) => {
      attemptOf(run, fourth).told = { ...acknowledged(recordWith(journal, third)), id: fourth };
    });
    expect(violations).toEqual(["bid-4 was acknowledged at auction.bids/0/4, and is at auction.bids/0/5"]);
  });

  test("a bid is acknowledged under another id", () => {
    const violations = spoiled((run, journal) => {
      attemptOf(run, fourth).told = { ...acknowledged(recordWith(journal, fourth)), id: "other" };
    });
    expect(violations).toEqual(["bid-4 was acknowledged as other"]);
  });

  test("a bid is in the log with another amount", () => {
    const violations = spoiled((run, journal) => {
      const record = recordWith(journal, fourth);
      record.value = record.value.replace("300", "301");
      answerBy(run);
    });
    expect(violations).toEqual(["bid-4 is in the log at auction.bids/0/5 as something else"]);
  });

  test("a bid without doubt is in the log twice", () => {
    const violations = spoiled((run, journal) => {
      appendCopy(journal, fourth);
      answerBy(run);
    });
    expect(violations).toEqual([
      "bid-4 was acknowledged without doubt, and is in the log at auction.bids/0/5 and auction.bids/0/7",
    ]);
  });

  test("two acknowledgements of a bid name one place", () => {
    const violations = spoiled((run) => alsoTold(run, fourth, attemptOf(run, fourth).told));
    expect(violations).toEqual(["bid-4 was acknowledged twice at one place"]);
  });

  test("a refused bid is in the log", () => {
    const violations = spoiled((run) => {
      attemptOf(run, fourth).told = { kind: "refused", status: 422 };
    });
    expect(violations).toEqual(["bid-4 was refused, and is in the log at auction.bids/0/5"]);
  });

  test("a bid has nothing but 503s", () => {
    const violations = spoiled((run) => {
      attemptOf(run, fourth).told = unavailable;
      alsoTold(run, fourth, unavailable);
    });
    expect(violations).toEqual(["bid-4 was never acknowledged: the last of 2 attempts had a 503"]);
  });

  test("a 503 does not say when to try again", () => {
    const violations = spoiled((run) => alsoTold(run, second, { ...unavailable, saysWhenToRetry: false }));
    expect(violations).toEqual(["bid-2 was answered 503 without Retry-After"]);
  });

  test("a bid is answered 500", () => {
    const violations = spoiled((run) => alsoTold(run, second, { ...unavailable, status: 500 }));
    expect(violations).toEqual(["bid-2 was answered 500"]);
  });

  test("two bids of a client on an item have changed places", () => {
    const violations = spoiled((run, journal) => {
      const [one, other] = [recordWith(journal, first), recordWith(journal, second)];
      [one.offset, other.offset] = [other.offset, one.offset];
      journal.sort((left, right) => left.offset - right.offset);
      for (const record of [one, other]) {
        const id = record === one ? first : second;
        attemptOf(run, id).told = acknowledged(record);
      }
      answerBy(run);
    });
    expect(violations).toEqual([
      "bid-2 is first at 2, and was sent after bid-1, at 3",
      "bid-2 was acknowledged at 2, and was sent after bid-1, at 3",
    ]);
  });

  test("a bid overtook by a first copy, though it was acknowledged behind", () => {
    const violations = spoiled((run, journal) => {
      // The log has: the second's early copy, the first, the second.
      alsoTold(run, second, unavailable);
      const early = { ...recordWith(journal, second) };
      journal.splice(2, 0, early);
      for (const [offset, record] of journal.entries()) record.offset = offset;
      for (const id of [first, third, fourth]) {
        attemptOf(run, id).told = acknowledged(recordWith(journal, id));
      }
      attemptOf(run, second).told = acknowledged({ ...early, offset: 4 });
      answerBy(run);
    });
    expect(violations).toEqual(["bid-2 is first at 2, and was sent after bid-1, at 3"]);
  });

  test("the log has a bid that nobody sent", () => {
    const violations = spoiled((run) => {
      run.attempts = run.attempts.filter(({ event }) => event.id !== fourth);
    });
    expect(violations).toEqual(["bid-4 is in the log, and nobody sent it"]);
  });

  test.each([
    ["status", "unsold"],
    ["bids", 3],
    ["rejected", 0],
    ["highest", { amount: 100, bidderId: "ann", bidId: "bid-1" }],
  ])("an item's %s is answered otherwise than the log says", (field, value) => {
    const violations = spoiled((run) => run.items.set("lamp", { ...run.items.get("lamp"), [field]: value }));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^lamp is answered as .*, and is .* by the log$/);
  });

  test("an item of the log is not answered", () => {
    expect(spoiled((run) => run.items.delete("vase"))).toHaveLength(1);
  });

  test("an item is answered that the log never opened", () => {
    const violations = spoiled((run) => run.items.set("ghost", { itemId: "ghost" }));
    expect(violations).toEqual(["ghost is answered, and the log never opened it"]);
  });

  test("an item was listed and never opened", () => {
    const violations = spoiled((run, journal) => {
      journal.splice(0, 1, { ...(journal.at(-1) as (typeof journal)[number]), offset: 0, timestamp: 0 });
      answerBy(run);
    });
    expect(violations).toContain(`lamp was listed by ${listingId}, and never opened`);
  });

  test("an item completed twice", () => {
    const violations = spoiled((run) => {
      const [completed = []] = run.log.completed;
      const [one] = completed;
      if (one === undefined) throw new Error("the lamp completed");
      const headers = one.headers.map(({ key, value }) =>
        key === "gavel_sequence" ? { key, value: "2" } : { key, value },
      );
      completed.push({ ...one, offset: 1, headers });
    });
    expect(violations).toEqual(["lamp completed 2 times", "partition 0: completed: 2 outputs, expected 1"]);
  });

  test("an item has not completed", () => {
    const violations = spoiled((run) => (run.log.completed = [[]]));
    expect(violations).toEqual(["partition 0: completed: 0 outputs, expected 1"]);
  });

  test("the winner is not the highest", () => {
    const violations = spoiled((run) => {
      const one = run.log.completed[0]?.[0];
      if (one === undefined) throw new Error("the lamp completed");
      one.value = one.value.replace('"price":150', '"price":100');
    });
    expect(violations[0]).toBe("lamp was won at 100, and its highest bid is 150");
    expect(violations[1]).toMatch(/^partition 0: completed 1: /);
  });

  test("a sequence is missing", () => {
    const violations = spoiled((run) => run.log.notifications[0]?.shift());
    expect(violations.filter((violation) => violation.includes("is not dense"))).not.toEqual([]);
  });

  test("a sequence came twice with different content", () => {
    const violations = spoiled((run) => {
      const one = run.log.completed[0]?.[0];
      if (one !== undefined) run.log.completed[0]?.push({ ...one, offset: 1, value: "{}" });
    });
    expect(violations).toEqual([
      "partition 0: sequence 1 came twice with different content: auction.completed at 1",
    ]);
  });
});
