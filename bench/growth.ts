import { Connection } from "./harness/connection.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { MeasuredObject } from "./harness/measured.ts";
import { median } from "./harness/statistics.ts";
import { type System, withSystem } from "./harness/system.ts";

const openItems = [1_000, 10_000, 100_000, 1_000_000] as const;
const bidsOnOneItem = 1_000_000;
const bidsPerTurn = 20_000;
const warmUpTurns = 2;
/** Openings handed over at a time: what is not applied yet is in the object's memory. */
const itemsAtOnce = 50_000;

/**
 * (g) Whether an event costs the same however much a partition holds: rows written and time per
 * bid at 10³ to 10⁶ open items, and on one item up to its millionth bid. Each size is an object of
 * its own in the real runtime; its log is made in memory before the clock starts, so that the time
 * is the object's alone. Consecutive bids fall on different items, as seldom as the size allows.
 */
export const growth: Benchmark = {
  title: "(g) rows and time per event as state grows",
  run: (options) => withSystem((system) => measure(system, options)),
};

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  await system.startBridge();
  const { url } = await system.startWorker("measured");
  const connection = await Connection.open(url);
  const figures = [...(await byOpenItems(connection, options)), ...(await onOneItem(connection, options))];
  connection.close();
  return figures;
}

interface Turns {
  readonly label: string;
  readonly object: MeasuredObject;
  readonly microseconds: number[];
  readonly rows: number[];
}

async function byOpenItems(connection: Connection, options: BenchmarkOptions): Promise<Figure[]> {
  const sizes: Turns[] = [];
  for (const size of openItems) {
    const items = Math.max(1000, Math.round(size * Math.min(1, options.scale)));
    const object = new MeasuredObject(connection, `scale/items-${size}`);
    const turns = { label: `10^${Math.log10(size)} open items`, object, microseconds: [], rows: [] };
    await open(object, items);
    sizes.push(turns);
    options.progress(`${items} items are open`);
  }
  // Behind the last opening: while that went on, the runtime evicted the smaller ones.
  for (let turn = 0; turn < warmUpTurns; turn += 1) for (const turns of sizes) await takeTurn(turns);
  for (const { microseconds, rows } of sizes) microseconds.length = rows.length = 0;
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const turns of sizes) await takeTurn(turns);
    options.progress(
      `round ${round}: ${sizes.map(({ microseconds }) => `${microseconds.at(-1)?.toFixed(1)} µs`).join(", ")}`,
    );
  }
  return [...sizes.flatMap(figuresOf), ...growthOf("10^6 : 10^3 open items", sizes[0], sizes.at(-1))];
}

async function onOneItem(connection: Connection, options: BenchmarkOptions): Promise<Figure[]> {
  const object = new MeasuredObject(connection, "scale/one-item");
  await open(object, 1);
  const all: Turns = { label: "one item", object, microseconds: [], rows: [] };
  const turns = Math.max(
    2 * options.rounds + warmUpTurns,
    Math.round((bidsOnOneItem * options.scale) / bidsPerTurn),
  );
  for (let turn = 0; turn < turns; turn += 1) await takeTurn(all);
  options.progress(`${turns * bidsPerTurn} bids on one item`);
  const pick = (label: string, from: number, to?: number): Turns => ({
    label,
    object,
    microseconds: all.microseconds.slice(from, to),
    rows: all.rows.slice(from, to),
  });
  const first = pick("one item, its first bids", warmUpTurns, warmUpTurns + options.rounds);
  const last = pick(`one item, around its ${turns * bidsPerTurn}th bid`, -options.rounds);
  return [
    ...figuresOf(first),
    ...figuresOf(last),
    ...growthOf("10^6th : first bids on one item", first, last),
  ];
}

async function open(object: MeasuredObject, items: number): Promise<void> {
  for (let opened = 0; opened < items; opened += itemsAtOnce) {
    await object.extend({ items: Math.min(itemsAtOnce, items - opened) });
    await object.wake();
  }
}

async function takeTurn({ object, microseconds, rows }: Turns): Promise<void> {
  await object.extend({ bids: bidsPerTurn });
  const before = await object.counters();
  const seconds = await object.wake();
  const after = await object.counters();
  microseconds.push((1e6 * seconds) / bidsPerTurn);
  rows.push((after.rowsWritten - before.rowsWritten) / bidsPerTurn);
}

function figuresOf({ label, microseconds, rows }: Turns): Figure[] {
  return [
    { name: label, unit: "µs/event", values: microseconds },
    { name: "  rows written", unit: "rows/event", values: rows },
  ];
}

/** Flat is told as a ratio of medians: at most a quarter more time, at most a tenth more rows. */
function growthOf(name: string, small?: Turns, large?: Turns): Figure[] {
  const ratio = (values: (turns: Turns) => readonly number[]): number[] =>
    small === undefined || large === undefined ? [] : [median(values(large)) / median(values(small))];
  return [
    {
      name: `time, ${name}`,
      unit: "ratio",
      values: ratio(({ microseconds }) => microseconds),
      goal: { atMost: 1.25 },
    },
    { name: `rows, ${name}`, unit: "ratio", values: ratio(({ rows }) => rows), goal: { atMost: 1.1 } },
  ];
}
