import { outputTopics, type LosersOutput, type Output, type OutputTopic } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { prepare } from "../outbox-record.ts";
import { placeThatTells, type SentBefore } from "../sent-before.ts";
import { sentOf } from "../sent-place.ts";
import { countOf, type OutboxPart, StoredOutbox } from "./outbox.ts";

/** Outputs of a journal offset's record took the next sequences of a topic. */
type OnSequenced = (topic: OutputTopic, offset: number, count: number) => void;

/** The outbox of group `auction`, which knows what was sent before a wipe. */
export class AuctionOutbox extends StoredOutbox<OutputTopic> {
  constructor(storage: PartitionStorage) {
    super(storage, outputTopics);
  }

  /**
   * Gives each output its sequence and stores them, inside the transaction that decided them.
   * `position` is where the transaction began, so that nothing decided in it or later lies before.
   * What is in the topic since before a wipe is not sent again: outputs take their sequence and are
   * known by it, or, where sequences cannot be counted, are known by what decided them and take none.
   * Of a topic's outputs `onSequenced` is told in order.
   */
  add(
    outputs: readonly (Output | LosersOutput)[],
    position: number,
    sequences: Record<OutputTopic, number>,
    sentBefore: (topic: OutputTopic) => SentBefore,
    onSequenced: OnSequenced,
  ): void {
    for (const topic of outputTopics) {
      const before = sentBefore(topic);
      const place = placeThatTells(before);
      const parts: OutboxPart[] = [];
      let unsent = sequences[topic] + 1;
      for (const output of outputs) {
        if (output.topic !== topic) continue;
        const part = isLosers(output)
          ? { losers: output, cursor: output.lastEntry, sent: 0 }
          : prepare(output);
        const count = countOf(part);
        const sent = sentOf(output.cause, count, place);
        // What is in the topic is a prefix; a fan-out that is there in part makes the rest of it: its
        // first outputs take the sequences before the next one, which are not sent.
        if (parts.length === 0 && sent > 0) unsent = sequences[topic] - sent + 1;
        sequences[topic] += count - sent;
        if (output.cause !== null) onSequenced(topic, output.cause.offset, count - sent);
        if (sent < count && sequences[topic] > before.sequence) parts.push(part);
        else if (parts.length === 0) unsent = sequences[topic] + 1;
      }
      this.append(topic, unsent, parts, position);
    }
  }
}

function isLosers(output: Output | LosersOutput): output is LosersOutput {
  return "idPrefix" in output;
}
