import type { PartitionDependencies } from "./dependencies.ts";
import type { TopicPartitionOffset } from "../src/kafka/port.ts";

const timeoutMs = 10_000;

/**
 * Holds the positions against the log's ends before anything of the log is believed: a log that
 * ends before a position has lost records or is another log, and its next records, whose offsets
 * lie below the position, would be taken for known ones and never be applied.
 */
export class LogCheck {
  private readonly dependencies: PartitionDependencies;
  private readonly positions: () => readonly TopicPartitionOffset[];
  private isChecked = false;

  /** @param positions next offset of each topic partition that is read */
  constructor(dependencies: PartitionDependencies, positions: () => readonly TopicPartitionOffset[]) {
    this.dependencies = dependencies;
    this.positions = positions;
  }

  /** Checks unless it was found right before. @throws {LogError} or, where the log is behind, an Error that says so */
  async once(): Promise<void> {
    if (this.isChecked) return;
    const positions = this.positions();
    const { clock, log } = this.dependencies;
    const ends = await log.offsets("latest", positions, clock.now() + timeoutMs);
    for (const { topic, partition, offset } of positions) {
      const end = ends.find((candidate) => candidate.topic === topic && candidate.partition === partition);
      if (end === undefined || end.offset >= offset) continue;
      throw new Error(
        `${topic}/${partition} ends at ${end.offset}, before the position ${offset}: ` +
          `the log has lost records, or is another one than was read`,
      );
    }
    this.isChecked = true;
  }

  /** The next `once` checks again. */
  forget(): void {
    this.isChecked = false;
  }
}
