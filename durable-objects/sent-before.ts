import { outputTopics, type OutputTopic, type PartitionState } from "../src/auction/state.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { findOutputs, type FoundOutputs, type OutputOrigin } from "./recovery.ts";
import type { SentPlace } from "./sent-place.ts";

/**
 * Outputs of one produce at most. So many may still be under way from before a wipe, with sequences
 * above the highest one found.
 */
const underWay = 1_000;

/** What must not be sent again to one topic. */
export interface SentBefore extends FoundOutputs {
  /**
   * The journal's history is missing, so that its outputs cannot be counted: decisions up to
   * `place` were sent, take no sequence, and what comes behind them goes on behind `sequence`.
   */
  readonly byPlace: boolean;
}

type PerTopic = Readonly<Record<OutputTopic, SentBefore>>;

const nothing: SentBefore = { sequence: 0, end: 0, place: null, byPlace: false };

/**
 * Which outputs are in their topics since before a wipe. With the journal's whole history a rebuild
 * counts the same sequences again, and those up to the highest one found are not sent. Where the
 * journal's start was deleted it cannot count them; what decided an output tells instead.
 */
export class SentOutputs {
  private readonly dependencies: PartitionDependencies;
  private readonly origin: OutputOrigin;
  private known: PerTopic | undefined;

  constructor(dependencies: PartitionDependencies, origin: OutputOrigin) {
    this.dependencies = dependencies;
    this.origin = origin;
  }

  /** Reads it from storage, also after a transaction that failed. */
  load(): void {
    const { storage } = this.dependencies;
    const [row] = storage.all<{ value: string }>(`SELECT value FROM bookkeeping WHERE name = 'sent_before'`);
    this.known = row === undefined ? undefined : (JSON.parse(row.value) as PerTopic);
  }

  of(topic: OutputTopic): SentBefore {
    return this.known?.[topic] ?? nothing;
  }

  /**
   * Once on empty storage, before anything is applied: looks into the topics. Applying first would
   * send their outputs twice.
   * @throws {LogError}
   */
  async find(): Promise<void> {
    if (this.known !== undefined) return;
    const found = await findOutputs(this.dependencies, this.origin);
    if (this.known !== undefined) return;
    this.keep(mapTopics((topic) => ({ ...found[topic], byPlace: false })));
  }

  /**
   * The journal has lost offsets from `from` on: where sequences are still those of outputs that
   * were sent before, they cannot be counted any more, and go on behind all that were. Inside the
   * transaction that moves the position.
   */
  loseCount(from: number, sequences: PartitionState["sequences"]): void {
    if (this.known === undefined) return;
    const { known } = this;
    const next = mapTopics((topic) => {
      const before = known[topic];
      const highest = before.sequence === 0 ? before.end : before.sequence;
      if (before.byPlace || (from > 0 && sequences[topic] >= highest)) return before;
      sequences[topic] = highest + underWay;
      return { ...before, sequence: sequences[topic], byPlace: true };
    });
    if (outputTopics.some((topic) => next[topic] !== known[topic])) this.keep(next);
  }

  private keep(known: PerTopic): void {
    this.dependencies.storage.run(
      `INSERT OR REPLACE INTO bookkeeping (name, value) VALUES ('sent_before', ?)`,
      JSON.stringify(known),
    );
    this.known = known;
  }
}

function mapTopics(make: (topic: OutputTopic) => SentBefore): PerTopic {
  return {
    completed: make("completed"),
    notifications: make("notifications"),
    deadLetters: make("deadLetters"),
  };
}

/** The place up to which a topic's outputs are told by what decided them; null while sequences tell. */
export function placeThatTells({ byPlace, place }: SentBefore): SentPlace | null {
  return byPlace ? place : null;
}
