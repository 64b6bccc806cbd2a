interface Sought {
  /** As it was asked for. */
  readonly offset: number;
  readonly from: number;
  readonly to: number;
  readonly isPaused: boolean;
}

/** What a seek of a group of functions means for its records, in plain sentences. */
export function seekNote({ from, isPaused, offset, to }: Sought): string {
  const sentences = [
    to > offset && `The log begins at ${to}.`,
    to > from && `What was neither finished nor parked from ${from} to ${to - 1} is left out.`,
    to < from
      ? "Records from this offset on are delivered again, under the ids that they had."
      : "What was delivered before from this offset on is delivered again, under the ids that it had.",
    isPaused && "The partition is paused: nothing is delivered until it is resumed.",
  ];
  return sentences.filter((sentence) => sentence !== false).join(" ");
}
