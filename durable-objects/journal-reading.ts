import type { JournalState } from "./journal-state.ts";
import type { LogReader } from "./log-reader.ts";
import type { ReadTopic, TopicIdentities } from "./topic-identities.ts";
import type { Waiters } from "./waiters.ts";

/** The journal, and what reads it: what the parts that act at its end have in common. */
export interface JournalReading {
  /** Journal topic as named in the log. */
  readonly topic: string;
  /** `ce_source` of what this partition writes. */
  readonly source: string;
  readonly journal: JournalState;
  readonly reader: LogReader;
  readonly waiters: Waiters;
  readonly identities: TopicIdentities<ReadTopic>;
}
