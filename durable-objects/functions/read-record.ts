import { filteredEvent, type FilteredEvent } from "../../src/functions/filter.ts";
import { visitHeaders } from "../../src/kafka/header-text.ts";
import type { LogRecord } from "../../src/kafka/port.ts";

/** A record as it was read, with what filters and the search for repetitions ask of it. */
export interface ReadRecord {
  readonly record: LogRecord;
  readonly event: FilteredEvent;
  /** Dense per writer and topic; 0 where the record is not an output of the expected writer. */
  readonly sequence: number;
}

/** @param writer `ce_source` of the partition of the group whose outputs these are */
export function readRecord(record: LogRecord, writer: string): ReadRecord {
  let [type, source, sequence] = ["", "", 0];
  visitHeaders(record, (key, value) => {
    if (key === "ce_type") type = value;
    else if (key === "ce_source") source = value;
    else if (key === "gavel_sequence") sequence = Number(value);
  });
  return {
    record,
    event: filteredEvent(type, record.value),
    sequence: source === writer && Number.isSafeInteger(sequence) ? sequence : 0,
  };
}
