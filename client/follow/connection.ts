import type { LiveMessage } from "./message.ts";

/** One live connection to its end, which is no failure: the network, a deployment, a session that is over. */
export type Connect = (
  /** Where to go on from; absent: everything is told first. */
  after: string | undefined,
  /** Ends it. */
  signal: AbortSignal,
  deliver: (message: LiveMessage) => void,
) => Promise<Ending>;

export type Ending =
  /** The gateway has ended it in its time. */
  | "over"
  /** It broke, or it could not be opened. */
  | "cut"
  /** It could not be opened, as far as can be told: what stands between may not let it through. */
  | "closed";

/** A connection on which nothing came for as long is taken for broken. */
export const longestSilenceMs = 45_000;
