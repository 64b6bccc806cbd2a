import fc from "fast-check";
import { expect, test } from "vitest";
import { outputTopics } from "../../../src/auction/state.ts";
import { ByteReader, ByteWriter } from "../../../durable-objects/trail/bytes.ts";
import {
  type Appended,
  codeOf,
  type Entry,
  type Fate,
  visitSteps,
  writeAppended,
  writeEntry,
  writeTransaction,
} from "../../../durable-objects/trail/steps.ts";

const whole = fc.maxSafeNat();
const count = fc.nat({ max: 200_000 });
const perTopic = fc.record({ completed: count, notifications: count, deadLetters: count });
const fates: readonly Fate[] = ["none", "waiting", "dead-lettered", "accepted", "too-low", "not-seller"];

const entry = fc.record({
  offset: fc.nat(),
  fate: fc.constantFrom(...fates),
  isDuplicate: fc.boolean(),
  counts: fc.oneof(
    fc.constant({ completed: 0, notifications: 0, deadLetters: 0 }),
    fc.constant({ completed: 0, notifications: 1, deadLetters: 0 }),
    perTopic,
  ),
});

const transaction = fc.record({
  head: fc.record({ at: whole, from: fc.nat(), sequences: perTopic }),
  entries: fc.array(entry, { maxLength: 20 }),
});

const appended: fc.Arbitrary<Appended> = fc.record({
  topic: fc.constantFrom(...outputTopics),
  sequence: whole,
  offset: whole,
  count,
  at: whole,
});

test("numbers up to the largest are read as they were written, and small ones take a byte", () => {
  fc.assert(
    fc.property(
      fc.array(whole),
      fc.array(fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 })),
      (wholes, signed) => {
        const writer = new ByteWriter();
        for (const value of wholes) writer.whole(value);
        for (const value of signed) writer.signed(value);
        const reader = new ByteReader(writer.toBytes());
        expect(wholes.map(() => reader.whole())).toEqual(wholes);
        expect(signed.map(() => reader.signed() + 0)).toEqual(signed.map((value) => value + 0));
        expect(reader.isAtEnd).toBe(true);
        expect(() => reader.byte()).toThrow("no more bytes");
      },
    ),
  );
  const writer = new ByteWriter();
  for (const value of [0, 63, -64]) writer.signed(value);
  writer.whole(127);
  expect(writer.length).toBe(4);
});

test("what is packed is read back, step by step, whatever it is", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(transaction, appended)), (steps) => {
      const writer = new ByteWriter();
      for (const step of steps) {
        if ("topic" in step) {
          writeAppended(writer, step);
          continue;
        }
        writeTransaction(writer, step.head, step.entries.length);
        let behind = step.head.from;
        for (const { offset, fate, isDuplicate, counts } of step.entries) {
          writeEntry(writer, codeOf(fate, isDuplicate), behind, offset, counts);
          behind = offset;
        }
      }
      const read: (Appended | Entry)[] = [];
      const heads: unknown[] = [];
      visitSteps(writer.toBytes(), {
        appended: (stretch) => read.push(stretch),
        entry: (index, found, { head }) => {
          expect(index).toBe(heads.length);
          read.push(found);
          heads.push(head);
        },
      });
      const expected = steps.flatMap((step): readonly (Appended | Entry)[] =>
        "topic" in step ? [step] : step.entries.map((one) => ({ ...one, isLate: false })),
      );
      expect(read).toEqual(expected);
      expect(heads).toEqual(
        steps.flatMap((step) => ("topic" in step ? [] : step.entries.map(() => step.head))),
      );
    }),
  );
});

test("a record's outputs follow on those of the records before it in its transaction", () => {
  const writer = new ByteWriter();
  const sequences = { completed: 7, notifications: 100, deadLetters: 0 };
  const counts = (completed: number, notifications: number) => ({ completed, notifications, deadLetters: 0 });
  writeTransaction(writer, { at: 5, from: 40, sequences }, 4);
  writeEntry(writer, codeOf("accepted"), 40, 40, counts(0, 1));
  writeEntry(writer, codeOf("accepted"), 40, 41, counts(1, 3));
  // One that had waited since offset 3, judged by the record before it.
  writeEntry(writer, codeOf("too-low", false, true), 41, 3, counts(0, 0));
  writeEntry(writer, codeOf("too-low"), 41, 42, counts(0, 1));
  const told: unknown[] = [];
  visitSteps(writer.toBytes(), {
    entry: (_, { offset, isLate }, { before, made, decidedBy }) =>
      told.push([offset, isLate, decidedBy, before.notifications, made.notifications, before.completed]),
  });
  expect(told).toEqual([
    [40, false, 40, 100, 1, 7],
    [41, false, 41, 101, 3, 7],
    [3, true, 41, 101, 3, 7],
    [42, false, 42, 104, 1, 8],
  ]);
});
