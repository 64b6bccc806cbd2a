import type { LogRecord } from "../../src/kafka/port.ts";

/** A record that a function has not finished. */
export interface Pending {
  readonly offset: number;
  /** What is called one after the other: the key, or what the function's order makes of it. */
  readonly lane: string;
  /** Of its value. */
  readonly characters: number;
  readonly admittedAt: number;
  /** Highest sequence of its writer before it, by which its repetitions are known. */
  readonly sequenceBefore: number;
  /** Absent while only storage has it. */
  record: LogRecord | undefined;
  /** Attempts that were made and count. */
  attempts: number;
  /** In memory: how many may be called together with it, after a call with it has failed as a whole. */
  company?: number;
  /** Not called before, in milliseconds since the epoch. */
  notBefore: number;
  /** When the first attempt began; null before it. */
  firstAttemptAt: number | null;
  /** Why the last attempt failed, "" where none did. */
  error: string;
  /** How often it was taken back from the dead letters. */
  redriven: number;
  /** It has a row of its own, so that the position may move past it. */
  isParked: boolean;
  isInFlight: boolean;
  /** Nothing is left to be done for it. */
  isFinished: boolean;
}

/** A record that is new to the function. */
export function newPending(record: LogRecord, lane: string, now: number, sequenceBefore: number): Pending {
  return {
    offset: record.offset,
    lane,
    characters: record.value.length,
    admittedAt: now,
    sequenceBefore,
    record,
    attempts: 0,
    notBefore: 0,
    firstAttemptAt: null,
    error: "",
    redriven: 0,
    isParked: false,
    isInFlight: false,
    isFinished: false,
  };
}
