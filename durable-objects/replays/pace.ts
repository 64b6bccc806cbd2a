/**
 * A replay has time, and what it shares a machine with has none: it works in short pieces and rests
 * behind each, so that a live partition's call waits for one piece at most.
 */
export const restMs = 40;

/** Records applied in one piece, and one transaction: a few milliseconds. */
export const pieceRecords = 250;

/** Pieces of an analysis's own work until what it has is written. */
export const piecesPerWrite = 25;
