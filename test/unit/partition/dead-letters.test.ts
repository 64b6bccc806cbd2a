import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { pushOf, startsAt, World } from "./core-world.ts";

/** What Kafka and the bridge take of one record. */
const maximumRecordBytes = 1_000_000;
/** What Cloudflare takes of one row. */
const maximumRowBytes = 2_000_000;

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** Not more than the log takes itself, of what grows most when it is written as JSON. */
const large = '"'.repeat(480_000);
const unreadable = [
  { key: "lamp", value: large + large, headers: [] },
  { key: "lamp", value: "{}", headers: [{ key: "x", value: large + large }] },
  { key: large + large, value: "{}", headers: [] },
  { key: large, value: "{}", headers: [{ key: "x", value: large }] },
  { key: "lamp", value: "\u0000".repeat(900_000), headers: [] },
  { key: "lamp", value: "日本".repeat(160_000), headers: [] },
];

test("a record that cannot be read is a dead letter that fits the log and a row, whatever part of it is large", async () => {
  for (const record of unreadable) {
    const world = new World();
    const { core, log, storage } = world;
    await core.start();
    log.refused = topics.deadLetters;
    const logged = log.append({ topic: topics.journal, partition: 0, timestamp: startsAt, ...record });
    await core.push(pushOf("journal", [logged]));
    const [row] = storage.all<{ payload: string }>("SELECT payload FROM outbox");
    expect(bytes(row?.payload ?? "")).toBeLessThan(maximumRowBytes);

    log.refused = "";
    await core.wake();
    const [letter] = log.topic(topics.deadLetters);
    if (letter === undefined) throw new Error("there is no dead letter");
    const headers = letter.headers.map(({ key, value }) => bytes(key + value));
    const size = headers.reduce((sum, part) => sum + part, bytes(letter.key) + bytes(letter.value));
    expect(size).toBeLessThan(maximumRecordBytes);
    expect(JSON.parse(letter.value)).toMatchObject({ offset: 0, record: { truncated: true } });
  }
});

test("a small one is kept as it is, and is the same however it came", async () => {
  const letters = [];
  for (const isPushed of [true, false]) {
    const { core, log } = new World();
    await core.start();
    const headers = [{ key: "x", value: "y" }];
    const record = {
      topic: topics.journal,
      partition: 0,
      timestamp: startsAt,
      key: "lamp",
      value: "{}",
      headers,
    };
    const logged = log.append(record);
    if (isPushed) await core.push(pushOf("journal", [logged]));
    await core.wake();
    letters.push(log.topic(topics.deadLetters)[0]?.value);
    const { key, value, timestamp } = record;
    expect(JSON.parse(letters[0] ?? "")).toMatchObject({ record: { key, value, headers, timestamp } });
    expect(letters[0]).not.toContain("truncated");
  }
  expect(letters[0]).toBe(letters[1]);
});
