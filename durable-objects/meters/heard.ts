/** What was heard of one isolate: every batch up to a number, and some behind it. */
export interface Heard {
  upTo: number;
  beyond: number[];
  /** When it handed over last, in milliseconds since the epoch. */
  at: number;
}

/** Batches behind one that is missing. With more of them it is not waited for: its isolate has given up. */
const mostBeyond = 16;

/** Notes a batch. Answers whether it is new; the order in which they come does not matter. */
export function isNew(heard: Heard, sequence: number): boolean {
  if (sequence <= heard.upTo || heard.beyond.includes(sequence)) return false;
  heard.beyond.push(sequence);
  heard.beyond.sort((left, right) => left - right);
  if (heard.beyond.length > mostBeyond) heard.upTo = (heard.beyond[0] ?? sequence) - 1;
  while (heard.beyond[0] === heard.upTo + 1) heard.upTo = heard.beyond.shift() ?? heard.upTo;
  return true;
}
