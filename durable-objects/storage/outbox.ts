import { outputTopics, type LosersOutput, type Output, type OutputTopic } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { prepare, type PreparedOutput } from "../outbox-record.ts";

/** Characters of one row's payload at most, well under 2 MB a row even in UTF-8. */
const maximumRowCharacters = 400_000;
/** Beyond this many characters of unsent outputs, the position waits. */
const maximumUnsentCharacters = 16_000_000;
const maximumUnsentRows = 2_000;

/** Outputs of one transaction and topic, in one row. */
export interface OutputsRow {
  readonly kind: "outputs";
  readonly id: number;
  readonly position: number;
  firstSequence: number;
  outputs: PreparedOutput[];
  readonly characters: number;
}

/** A fan-out that is made when it is sent: how far the walk over the item's entries has come. */
export interface LosersRow {
  readonly kind: "losers";
  readonly id: number;
  readonly position: number;
  firstSequence: number;
  readonly losers: LosersOutput;
  /** Entry at which the walk goes on, 0 at its end. */
  cursor: number;
  /** Outputs made so far. */
  sent: number;
}

export type OutboxRow = OutputsRow | LosersRow;

interface StoredLosers {
  readonly losers: LosersOutput;
  readonly cursor: number;
  readonly sent: number;
}

/**
 * What the reducer decided and the log has not acknowledged, per topic in order of sequence. A
 * row comes in the transaction that decided it and goes when the log has it; between the two a
 * crash leaves it here, and the same record is sent again under the same sequence.
 */
export class StoredOutbox {
  private readonly storage: PartitionStorage;
  private readonly queues: Record<OutputTopic, OutboxRow[]> = {
    completed: [],
    notifications: [],
    deadLetters: [],
  };
  private nextId: number;
  private unsentCharacters = 0;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    type Row = {
      id: number;
      topic: OutputTopic;
      first_sequence: number;
      position: number;
      kind: string;
      payload: string;
    };
    const rows = storage.all<Row>(
      `SELECT id, topic, first_sequence, position, kind, payload FROM outbox ORDER BY id`,
    );
    for (const row of rows) this.enqueue(row.topic, readRow(row));
    this.nextId = (rows.at(-1)?.id ?? 0) + 1;
  }

  private enqueue(topic: OutputTopic, row: OutboxRow): void {
    this.queues[topic].push(row);
    if (row.kind === "outputs") this.unsentCharacters += row.characters;
  }

  queue(topic: OutputTopic): readonly OutboxRow[] {
    return this.queues[topic];
  }

  get isEmpty(): boolean {
    return outputTopics.every((topic) => this.queues[topic].length === 0);
  }

  /** When it is full nothing more is applied: the position waits until the log takes outputs again. */
  get isFull(): boolean {
    const rows = outputTopics.reduce((sum, topic) => sum + this.queues[topic].length, 0);
    return this.unsentCharacters >= maximumUnsentCharacters || rows >= maximumUnsentRows;
  }

  /** Outputs not yet acknowledged. */
  get unsent(): number {
    const count = (row: OutboxRow): number =>
      row.kind === "outputs" ? row.outputs.length : row.losers.count - row.sent;
    return outputTopics.reduce(
      (sum, topic) => sum + this.queues[topic].reduce((total, row) => total + count(row), 0),
      0,
    );
  }

  /** Journal position at which the transaction of the oldest unsent outputs began. */
  get oldestPosition(): number {
    return Math.min(
      ...outputTopics.map((topic) => this.queues[topic][0]?.position ?? Number.POSITIVE_INFINITY),
    );
  }

  /**
   * Gives each output its sequence and stores them, inside the transaction that decided them.
   * `position` is where the transaction began, so that nothing decided in it or later lies before.
   * Outputs up to `alreadySent` are in the topic since before a wipe: they take their sequence
   * and are not sent again.
   */
  add(
    outputs: readonly (Output | LosersOutput)[],
    position: number,
    sequences: Record<OutputTopic, number>,
    alreadySent: Readonly<Record<OutputTopic, number>>,
  ): void {
    for (const topic of outputTopics) {
      let run: PreparedOutput[] = [];
      const writeRun = (): void => {
        if (run.length > 0) this.insertOutputs(topic, sequences[topic] - run.length + 1, run, position);
        run = [];
      };
      for (const output of outputs) {
        if (output.topic !== topic) continue;
        if (isLosers(output)) {
          writeRun();
          this.addLosers(output, sequences[topic] + 1, position, alreadySent[topic]);
          sequences[topic] += output.count;
        } else {
          sequences[topic] += 1;
          if (sequences[topic] > alreadySent[topic]) run.push(prepare(output));
        }
      }
      writeRun();
    }
  }

  private insertOutputs(
    topic: OutputTopic,
    firstSequence: number,
    outputs: readonly PreparedOutput[],
    position: number,
  ): void {
    let sequence = firstSequence;
    for (const part of splitBySize(outputs)) {
      const payload = JSON.stringify(part);
      const id = this.insert(topic, sequence, part.length, position, "outputs", payload);
      this.enqueue(topic, {
        kind: "outputs",
        id,
        position,
        firstSequence: sequence,
        outputs: [...part],
        characters: payload.length,
      });
      sequence += part.length;
    }
  }

  private addLosers(
    losers: LosersOutput,
    firstSequence: number,
    position: number,
    alreadySent: number,
  ): void {
    if (firstSequence + losers.count - 1 <= alreadySent) return;
    const start: StoredLosers = { losers, cursor: losers.lastEntry, sent: 0 };
    const id = this.insert(
      "notifications",
      firstSequence,
      losers.count,
      position,
      "losers",
      JSON.stringify(start),
    );
    this.enqueue("notifications", { kind: "losers", id, position, firstSequence, ...start });
  }

  private insert(
    topic: OutputTopic,
    firstSequence: number,
    count: number,
    position: number,
    kind: OutboxRow["kind"],
    payload: string,
  ): number {
    const id = this.nextId;
    this.nextId += 1;
    this.storage.run(
      `INSERT INTO outbox (id, topic, first_sequence, count, position, kind, payload) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      id,
      topic,
      firstSequence,
      count,
      position,
      kind,
      payload,
    );
    return id;
  }

  /** The log has the first `count` outputs of the topic's queue, all of them in `outputs` rows. */
  acknowledge(topic: OutputTopic, count: number): void {
    let left = count;
    const queue = this.queues[topic];
    this.storage.transaction(() => {
      for (let row = queue[0]; left > 0 && row?.kind === "outputs"; row = queue[0]) {
        if (left >= row.outputs.length) {
          left -= row.outputs.length;
          this.unsentCharacters -= row.characters;
          this.storage.run(`DELETE FROM outbox WHERE id = ?`, row.id);
          queue.shift();
          continue;
        }
        row.outputs = row.outputs.slice(left);
        row.firstSequence += left;
        left = 0;
        this.update(row.id, row.firstSequence, row.outputs.length, JSON.stringify(row.outputs));
      }
    });
  }

  /** The log has `count` outputs more of the fan-out at the head of the queue; it goes on at `cursor`. */
  acknowledgeLosers(count: number, cursor: number): void {
    const queue = this.queues.notifications;
    const row = queue[0];
    if (row?.kind !== "losers") throw new Error("the head of the outbox is not a fan-out");
    row.firstSequence += count;
    row.sent += count;
    row.cursor = cursor;
    if (row.sent >= row.losers.count || cursor === 0) {
      this.storage.run(`DELETE FROM outbox WHERE id = ?`, row.id);
      queue.shift();
      return;
    }
    const progress: StoredLosers = { losers: row.losers, cursor, sent: row.sent };
    this.update(row.id, row.firstSequence, row.losers.count - row.sent, JSON.stringify(progress));
  }

  private update(id: number, firstSequence: number, count: number, payload: string): void {
    this.storage.run(
      `UPDATE outbox SET first_sequence = ?, count = ?, payload = ? WHERE id = ?`,
      firstSequence,
      count,
      payload,
      id,
    );
  }
}

function readRow(row: {
  id: number;
  first_sequence: number;
  position: number;
  kind: string;
  payload: string;
}): OutboxRow {
  const common = { id: row.id, position: row.position, firstSequence: row.first_sequence };
  if (row.kind === "losers")
    return { kind: "losers", ...common, ...(JSON.parse(row.payload) as StoredLosers) };
  const outputs = JSON.parse(row.payload) as PreparedOutput[];
  return { kind: "outputs", ...common, outputs, characters: row.payload.length };
}

function isLosers(output: Output | LosersOutput): output is LosersOutput {
  return "idPrefix" in output;
}

function* splitBySize(outputs: readonly PreparedOutput[]): Generator<readonly PreparedOutput[]> {
  let part: PreparedOutput[] = [];
  let characters = 0;
  for (const output of outputs) {
    const size = output[4].length + 200;
    if (part.length > 0 && characters + size > maximumRowCharacters) {
      yield part;
      [part, characters] = [[], 0];
    }
    part.push(output);
    characters += size;
  }
  if (part.length > 0) yield part;
}
