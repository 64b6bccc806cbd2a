import { describe, expect, test } from "vitest";
import type { Delivery, ReceivedCall } from "../../support/receiver/call.ts";
import { checkDeliveries, type ExpectedDeliveries } from "../../support/receiver/checker.ts";
import { Random } from "../../faults/random.ts";

const topic = "auction.notifications";
const place = (offset: number) => ({ topic, partition: 0, offset });

/** Records of the keys that are named, at offsets from 0: `"aab"` is two of a and one of b. */
const expected = (keys: string): ExpectedDeliveries["records"] =>
  Array.from(keys).map((key, offset) => ({ ...place(offset), key }));

/** `"2b"`: offset 2, key b, done; `"2b!"` is tried again, `"2bx"` rejected, `"2b?"` unanswered. */
function delivery(text: string): Delivery {
  const [, offset = "", key = "", mark = ""] = /^(\d+)([a-z])([!x?]?)$/.exec(text) ?? [];
  const verdict = ({ "!": "retry", x: "reject", "?": "unanswered" } as const)[mark] ?? "done";
  return { ...place(Number(offset)), id: `${topic}/0/${offset}/f`, key, attempt: 1, verdict };
}

/** Calls one after the other, each with the records that are named. */
function history(...calls: readonly string[]): ReceivedCall[] {
  return calls.map((records, index) => ({
    number: index + 1,
    endpoint: "/",
    id: `call ${index + 1}`,
    began: 2 * index,
    ended: 2 * index + 1,
    beganAt: 1_000 + index,
    endedAt: 1_000 + index,
    deliveries: records.split(" ").map((text) => delivery(text)),
  }));
}

/** The same history with one call changed. */
function changed(calls: ReceivedCall[], number: number, change: Partial<ReceivedCall>): ReceivedCall[] {
  return calls.map((call) => (call.number === number ? { ...call, ...change } : call));
}

/** The same history with a call's only delivery changed. */
function withDelivery(calls: ReceivedCall[], number: number, change: Partial<Delivery>): ReceivedCall[] {
  const deliveries = calls[number - 1]?.deliveries.map((one) => ({ ...one, ...change })) ?? [];
  return changed(calls, number, { deliveries });
}

describe("a history stands", () => {
  test.each<[string, string, string[], number[]]>([
    ["in which each record is done in order", "aba", ["0a", "1b", "2a"], []],
    ["in which keys go on beside each other", "abab", ["1b", "0a", "3b", "2a"], []],
    ["in which a record is tried again until it is done", "aa", ["0a!", "0a?", "0a", "1a"], []],
    ["in which another key goes on meanwhile", "aab", ["0a!", "2b", "0a", "1a"], []],
    ["in which a call carries several records", "aab", ["0a 1a 2b"], []],
    ["in which the tail of a call is called again", "aaa", ["0a 1a! 2a", "1a 2a"], []],
    ["in which a lost answer brings the last record again", "aa", ["0a", "0a", "1a", "1a"], []],
    [
      "in which a lost answer brings the last call again, in smaller ones",
      "aaa",
      ["0a 1a 2a", "0a", "1a", "2a"],
      [],
    ],
    ["in which a rejected record is a dead letter", "aa", ["0ax", "1a"], [0]],
    ["in which a record is a dead letter after its attempts", "aa", ["0a!", "0a?", "1a"], [0]],
    ["in which a record is a dead letter without a delivery", "aa", ["1a"], [0]],
    ["in which a dead letter ends inside a call", "aaa", ["0a 1a! 2a"], [1]],
    ["in which the lost answer was a rejection", "aa", ["0ax", "0ax", "1a"], [0]],
    ["in which nothing was expected", "", [], []],
  ])("%s", (_, keys, calls, dead) => {
    const deadLetters = dead.map((offset) => place(offset));
    expect(checkDeliveries(history(...calls), { records: expected(keys), deadLetters })).toEqual([]);
  });

  test("whatever the order in which it is handed over", () => {
    expect(checkDeliveries(history("0a", "1a", "2a").toReversed(), { records: expected("aaa") })).toEqual([]);
  });

  test("in any order, and with overlaps, where none was promised", () => {
    const calls = changed(history("1a", "0a", "1a"), 1, { ended: 9 });
    expect(checkDeliveries(calls, { records: expected("aa"), order: "none" })).toEqual([]);
  });

  test("in which attempts are counted on", () => {
    const calls = withDelivery(history("0a!", "0a"), 2, { attempt: 2 });
    expect(checkDeliveries(calls, { records: expected("a") })).toEqual([]);
  });
});

describe("a history falls in which", () => {
  const name = (offset: number) => `${topic}/0/${offset}`;
  const lane = `key a of ${topic}/0`;

  test.each<[string, string, string[], number[], string[]]>([
    ["a record is missing", "aa", ["0a"], [], [`${name(1)} was never delivered`]],
    [
      "a record was given up in silence",
      "aa",
      ["0a", "1a!"],
      [],
      [`${name(1)} was last answered as retry, and is no dead letter`],
    ],
    [
      "a record was rejected, and is no dead letter",
      "a",
      ["0ax"],
      [],
      [`${name(0)} was last answered as reject, and is no dead letter`],
    ],
    [
      "a key is out of order",
      "aa",
      ["1a", "0a"],
      [],
      [
        `${name(1)} was delivered before ${name(0)}, of the same ${lane}, had ended`,
        `${name(0)} was delivered after later records of ${lane} were`,
      ],
    ],
    [
      "a record overtakes one that is tried again",
      "aa",
      ["0a!", "1a", "0a", "1a"],
      [],
      [
        `${name(1)} was delivered before ${name(0)}, of the same ${lane}, had ended`,
        `${name(0)} was delivered after later records of ${lane} were`,
      ],
    ],
    [
      "a record overtakes one that nobody answered",
      "aa",
      ["0a?", "1a"],
      [],
      [
        `${name(1)} was delivered before ${name(0)}, of the same ${lane}, had ended`,
        `${name(0)} was last answered as unanswered, and is no dead letter`,
      ],
    ],
    [
      "what stands behind a record that is tried again is not called again",
      "aaaa",
      ["0a 1a! 2a", "1a", "3a"],
      [],
      [`${name(3)} was delivered before ${name(2)}, of the same ${lane}, had ended`],
    ],
    [
      "a call has its records out of order",
      "aa",
      ["1a 0a"],
      [],
      [
        `${name(1)} was delivered before ${name(0)}, of the same ${lane}, had ended`,
        `call 1 has ${name(0)} behind a later record of ${lane}`,
      ],
    ],
    ["a call has a record twice", "a", ["0a 0a"], [], ["call 1 has a record twice in one call"]],
    [
      "a record comes back long after it was done",
      "aaa",
      ["0a", "1a", "0a", "2a"],
      [],
      [`${name(0)} was delivered after later records of ${lane} were`],
    ],
    [
      "a dead letter is delivered again",
      "aa",
      ["0ax", "1a", "0a"],
      [0],
      [`${name(0)} was delivered after it was dead-lettered`],
    ],
    [
      "a record overtakes one that became a dead letter later",
      "aa",
      ["0a!", "1a", "0a!"],
      [0],
      [
        `${name(1)} was delivered before ${name(0)}, of the same ${lane}, had ended`,
        `${name(0)} was delivered after it was dead-lettered`,
      ],
    ],
    ["a record was not expected", "a", ["0a", "1a"], [], [`${name(1)} was delivered, and was not expected`]],
    ["a record has another key", "a", ["0b"], [], [`${name(0)} was delivered with the key b`]],
    [
      "a dead letter was not expected",
      "a",
      ["0a"],
      [7],
      [`${name(7)} is a dead letter, and was not expected`],
    ],
    ["a record is a dead letter twice", "a", [], [0, 0], ["a record is a dead letter twice"]],
  ])("%s", (_, keys, calls, dead, violations) => {
    const deadLetters = dead.map((offset) => place(offset));
    expect(checkDeliveries(history(...calls), { records: expected(keys), deadLetters })).toEqual(violations);
  });

  test("two calls of a key overlap", () => {
    const calls = changed(history("0a", "2b", "1a"), 1, { ended: 5 });
    expect(checkDeliveries(calls, { records: expected("aab") })).toEqual([
      `call 3 was called while call 1 ran, and both are of ${lane}`,
    ]);
  });

  test("a key is called while a call of it was never answered", () => {
    const [open, ...others] = history("0a?", "0a");
    const { ended: _, ...unanswered } = open as ReceivedCall;
    expect(checkDeliveries([unanswered, ...others], { records: expected("a") })).toEqual([
      `call 2 was called while call 1 ran, and both are of ${lane}`,
    ]);
  });

  test("two calls of a partition overlap, where its order was promised", () => {
    const calls = changed(history("0a", "1b"), 1, { ended: 3 });
    expect(checkDeliveries(calls, { records: expected("ab"), order: "partition" })).toEqual([
      `call 2 was called while call 1 ran, and both are of ${topic}/0`,
    ]);
    expect(checkDeliveries(calls, { records: expected("ab"), order: "key" })).toEqual([]);
  });

  test("keys overtake each other, where the partition's order was promised", () => {
    expect(checkDeliveries(history("1b", "0a"), { records: expected("ab"), order: "partition" })).not.toEqual(
      [],
    );
  });

  test("a record has another id at its second attempt", () => {
    const calls = withDelivery(history("0a!", "0a"), 2, { id: "other" });
    expect(checkDeliveries(calls, { records: expected("a") })).toEqual([
      `${name(0)} was delivered as ${topic}/0/0/f, and later as other`,
    ]);
  });

  test("two records share an id", () => {
    const calls = withDelivery(history("0a", "1a"), 2, { id: `${topic}/0/0/f` });
    expect(checkDeliveries(calls, { records: expected("aa") })).toEqual([
      `${topic}/0/0/f is the id of ${name(0)} and of ${name(1)}`,
    ]);
  });

  test("attempts are counted anew", () => {
    const calls = withDelivery(history("0a!", "0a!", "0a"), 2, { attempt: 5 });
    expect(checkDeliveries(calls, { records: expected("a") })).toEqual([
      `${name(0)} was delivered as attempt 1 after attempt 5`,
    ]);
  });

  test("a record is delivered after the moment of its dead letter", () => {
    const deadLetters = [{ ...place(0), at: 1_000 }];
    expect(checkDeliveries(history("0a!", "0a!"), { records: expected("a"), deadLetters })).toEqual([
      `${name(0)} was delivered after it was dead-lettered`,
    ]);
  });
});

test("one fault in everything is told fifty times, and the rest counted", () => {
  const records = Array.from({ length: 500 }, (_, offset) => ({ ...place(offset), key: "a" }));
  const violations = checkDeliveries([], { records });
  expect(violations).toHaveLength(51);
  expect(violations.at(-1)).toBe("and 450 more");
});

/** A history of so many records that keeps every promise: failures, lost answers, batches. */
function longHistory(
  count: number,
  keys: number,
): { calls: ReceivedCall[]; records: ExpectedDeliveries["records"] } {
  const random = new Random(5);
  const records = Array.from({ length: count }, (_, offset) => {
    return { topic, partition: offset % 4, offset: Math.floor(offset / 4), key: `key-${offset % keys}` };
  });
  const calls: ReceivedCall[] = [];
  const call = (record: (typeof records)[number], verdict: Delivery["verdict"], attempt: number): void => {
    const id = `${topic}/${record.partition}/${record.offset}/f`;
    const began = 2 * calls.length;
    const deliveries = [{ ...record, id, verdict, attempt }];
    const number = calls.length + 1;
    calls.push({ number, endpoint: "/", id, began, ended: began + 1, beganAt: began, deliveries });
  };
  for (const record of records) {
    let attempt = 1;
    for (; random.chance(0.05); attempt += 1)
      call(record, random.pick(["retry", "unanswered"] as const), attempt);
    call(record, "done", attempt);
    if (random.chance(0.01)) call(record, "done", attempt);
  }
  return { calls, records };
}

test("fifty thousand deliveries are checked in seconds, and the one fault among them is found", () => {
  const { calls, records } = longHistory(50_000, 1_000);
  const start = performance.now();
  expect(checkDeliveries(calls, { records })).toEqual([]);
  expect(performance.now() - start).toBeLessThan(5_000);
  const lost = records[31_337];
  const without = calls.filter(
    ({ deliveries: [one] }) => one?.offset !== lost?.offset || one?.partition !== lost?.partition,
  );
  // That it is missing, and that the next one of its key came without it.
  expect(checkDeliveries(without, { records })).toHaveLength(2);
});
