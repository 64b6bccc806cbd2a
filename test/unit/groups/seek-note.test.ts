import { expect, test } from "vitest";
import { seekNote } from "../../../src/groups/seek-note.ts";

const sought = { offset: 3, from: 5, to: 3, isPaused: false };

test("a seek back says that records are delivered again", () => {
  expect(seekNote(sought)).toBe(
    "Records from this offset on are delivered again, under the ids that they had.",
  );
});

test("a seek forward says which stretch is left out", () => {
  const note = seekNote({ ...sought, offset: 9, to: 9 });
  expect(note).toMatch(/^What was neither finished nor parked from 5 to 8 is left out\. /);
  expect(note).not.toContain("Records from this offset on");
});

test("a seek to what the log has deleted says where it begins, and what that leaves out", () => {
  expect(seekNote({ ...sought, to: 4 })).toMatch(/^The log begins at 4\. Records/);
  expect(seekNote({ ...sought, to: 7 })).toMatch(
    /^The log begins at 7\. What was .* from 5 to 6 is left out/,
  );
});

test("a seek of a paused partition says that nothing is delivered before its resume", () => {
  expect(seekNote({ ...sought, isPaused: true })).toMatch(
    /paused: nothing is delivered until it is resumed\.$/,
  );
  expect(seekNote(sought)).not.toContain("paused");
});
