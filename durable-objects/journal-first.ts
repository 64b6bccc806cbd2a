import type { PartitionDependencies } from "./dependencies.ts";
import type { JournalReading } from "./journal-reading.ts";

const timeoutMs = 10_000;

/**
 * Before the first relay the journal is read to where it ended when it was first asked for: it may
 * hold openings that an earlier life of this object appended and did not apply. Under a steady load
 * the reader itself never meets an end.
 */
export class JournalFirst {
  private readonly dependencies: PartitionDependencies;
  private readonly reading: JournalReading;
  private isRead = false;
  private end: number | undefined;

  constructor(dependencies: PartitionDependencies, reading: JournalReading) {
    this.dependencies = dependencies;
    this.reading = reading;
  }

  /** Whether the journal was read so far; reads it where it was not. @throws {LogError} */
  async read(): Promise<boolean> {
    if (this.isRead) return true;
    const { journal, reader, waiters } = this.reading;
    do {
      this.end ??= await this.findEnd();
      if (journal.position >= this.end) break;
      const reached = waiters.reached("journal", this.end - 1);
      // The end may lie behind offsets that no record has.
      await Promise.race([reached, reader.catchUp()]);
      // While it was read it may have to be read anew.
    } while (this.end === undefined);
    this.isRead = journal.position >= this.end || !reader.isBehind;
    return this.isRead;
  }

  /** Openings that were relayed may be gone from the journal: what it still has is read first again. */
  startOver(): void {
    this.isRead = false;
    this.end = undefined;
  }

  private async findEnd(): Promise<number> {
    const { clock, log, partition } = this.dependencies;
    const { identities, topic } = this.reading;
    const [end] = await log.offsets("latest", [{ topic, partition }], clock.now() + timeoutMs);
    identities.recognize("journal", end?.topicId);
    return end?.offset ?? Number.POSITIVE_INFINITY;
  }
}
