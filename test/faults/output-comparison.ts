/** Compares the records of the output topics with the outputs that the plain model decides. */
import { isDeepStrictEqual } from "node:util";
import type { LogRecord } from "../../src/kafka/port.ts";
import { covers } from "./covers.ts";
import { header } from "./plain-decoding.ts";
import type { OutputTopic, PlainModel, PlainOutput } from "./plain-model.ts";
import { sequenceOf } from "./produce-history.ts";

export const outputRoles: readonly OutputTopic[] = ["completed", "notifications", "deadLetters"];

/** The records of an output topic as the next group reads them: known sequences are dropped. */
export function withoutRepeats(records: readonly LogRecord[], problems: string[]): LogRecord[] {
  const kept: LogRecord[] = [];
  for (const record of records) {
    const sequence = sequenceOf(record);
    const where = `${record.topic} at ${record.offset}`;
    if (sequence === undefined) problems.push(`no sequence: ${where}`);
    else if (sequence === kept.length + 1) kept.push(record);
    else if (sequence > kept.length) problems.push(`sequence ${sequence} is not dense: ${where}`);
    else if (!sameContent(record, kept[sequence - 1])) {
      problems.push(`sequence ${sequence} came twice with different content: ${where}`);
    }
  }
  return kept;
}

export function sameContent(one: LogRecord, other: LogRecord | undefined): boolean {
  const content = ({ key, value, headers }: LogRecord): unknown => [key, value, headers];
  return other !== undefined && isDeepStrictEqual(content(one), content(other));
}

/** @returns the differences of one partition's outputs, in plain sentences. */
export function compareOutputs(
  model: PlainModel,
  recordsOf: (role: OutputTopic) => readonly LogRecord[],
): string[] {
  const problems: string[] = [];
  for (const role of outputRoles) {
    const records = withoutRepeats(recordsOf(role), problems);
    const expected = model.outputs.filter((output) => output.topic === role);
    if (records.length !== expected.length) {
      problems.push(`${role}: ${records.length} outputs, expected ${expected.length}`);
    }
    for (const [index, output] of expected.entries()) {
      const record = records[index];
      if (record === undefined) break;
      const difference = differs(record, output);
      if (difference === null) continue;
      problems.push(`${role} ${output.sequence}: ${difference}`);
      break;
    }
  }
  return problems;
}

/** Whether a record says what the plain model says; fields beyond the model's are the product's. */
export function differs(record: LogRecord, expected: PlainOutput): string | null {
  const type = header(record, "ce_type");
  const value: unknown = JSON.parse(record.value);
  const agrees = type === expected.type && covers(value, expected.data);
  return agrees ? null : `${type} ${record.value}, expected ${JSON.stringify(expected)}`;
}
