/**
 * Topics and the types of their events.
 *
 * Every topic has the same partition count and is keyed by item id, so that one partition number
 * sees an item and all its bids. `TOPIC_PREFIX` goes in front of each name at run time.
 */
export const topics = {
  items: "auction.items",
  journal: "auction.bids",
  completed: "auction.completed",
  notifications: "auction.notifications",
  validated: "auction.validated",
  deadLetters: "auction.dead-letters",
} as const;

export type TopicRole = keyof typeof topics;

/** The names of the two topics that the edge writes, as they are in the log. */
export function writtenTopics(topicPrefix: string): { readonly items: string; readonly journal: string } {
  return { items: topicPrefix + topics.items, journal: topicPrefix + topics.journal };
}

/** CloudEvents types that Gavel reads or writes. Source: docs/interface, `ce_type`. */
export const eventTypes = {
  itemListed: "gavel.item.listed.v1",
  itemWithdrawn: "gavel.item.withdrawn.v1",
  itemOpened: "gavel.item.opened.v1",
  bidPlaced: "gavel.bid.placed.v1",
  tick: "gavel.tick.v1",
  itemCompleted: "gavel.item.completed.v1",
  itemValidated: "gavel.item.validated.v1",
  bidderOutbid: "gavel.bidder.outbid.v1",
  bidderWon: "gavel.bidder.won.v1",
  bidderLost: "gavel.bidder.lost.v1",
  bidderRejected: "gavel.bidder.rejected.v1",
  deadLetter: "gavel.dead-letter.v1",
  functionDisabled: "gavel.function.disabled.v1",
  logGap: "gavel.log.gap.v1",
} as const;
