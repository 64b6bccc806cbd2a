export const topicPrefix = "sim.";
/** What the group reads. */
export const topic = `${topicPrefix}auction.completed`;
