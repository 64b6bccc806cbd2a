import type { Clock } from "../lib/clock.ts";
import { Problem } from "../lib/problem.ts";
import { type KafkaLog, LogError } from "./port.ts";

/** How long a good answer holds, in milliseconds. */
const freshFor = 60_000;

export interface PinnedTopics {
  /**
   * Resolves when the log has every topic with the pinned partition count. Asks the log once a
   * minute; a bad answer is not kept, so that a mended log is used at once.
   * @throws {Problem} `partition-count-mismatch`, `topic-missing`, or what `problemFromLog` makes.
   */
  verify(deadline: number): Promise<void>;
}

/**
 * Holds the log to the configuration: with another count, keys would go to other partitions than
 * before, and an item would part from its bids.
 */
export function createPinnedTopics(
  log: KafkaLog,
  clock: Clock,
  names: readonly string[],
  partitionCount: number,
): PinnedTopics {
  let verifiedAt = Number.NEGATIVE_INFINITY;
  return {
    async verify(deadline) {
      const now = clock.now();
      if (now - verifiedAt < freshFor) return;
      const before = verifiedAt;
      // Requests that come while this one asks go by the last good answer, and do not ask too.
      if (before > Number.NEGATIVE_INFINITY) verifiedAt = now;
      try {
        requirePinned(await log.topics(deadline), names, partitionCount);
        verifiedAt = now;
      } catch (error) {
        const away = error instanceof LogError && error.retryable;
        // A log that is away says nothing new: the produce that follows will tell.
        if (away && before > Number.NEGATIVE_INFINITY) return;
        verifiedAt = Number.NEGATIVE_INFINITY;
        throw error instanceof LogError ? problemFromLog(error) : error;
      }
    },
  };
}

function requirePinned(
  counts: Readonly<Record<string, number>>,
  names: readonly string[],
  expected: number,
): void {
  for (const name of names) {
    const fault = topicFault(counts, name, expected);
    if (fault !== null) throw fault;
  }
}

/** What is wrong with a topic, by the counts that the log told; null where nothing is. */
export function topicFault(
  counts: Readonly<Record<string, number>>,
  name: string,
  expected: number,
): Problem | null {
  const count = Object.hasOwn(counts, name) ? counts[name] : undefined;
  if (count === undefined) return new Problem("topic-missing", `The log has no topic ${name}`);
  if (count === expected) return null;
  return new Problem(
    "partition-count-mismatch",
    `Topic ${name} has ${count} partitions in the log and ${expected} in the configuration`,
  );
}

/** What a client is told of a failed call to the log: no address, no words of the log itself. */
export function problemFromLog(error: LogError): Problem {
  switch (error.code) {
    case "timeout":
      return new Problem("log-timeout", "The log did not answer in time; the event may be sent again", {
        cause: error,
      });
    case "unavailable":
      return new Problem("log-unavailable", "The log is not available; the event may be sent again", {
        cause: error,
      });
    case "too-large":
      return new Problem("record-too-large", "The log takes no record or request of this size", {
        cause: error,
      });
    case "unknown-topic":
      return new Problem("topic-missing", "The log lacks a topic or partition", { cause: error });
    case "unauthorized":
    case "rejected":
      return new Problem("log-refused", "The log refuses the gateway's request; its operator has to act", {
        cause: error,
      });
  }
}
