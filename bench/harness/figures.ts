import { median, plain, spread } from "./statistics.ts";

/** One figure of a benchmark, with a value of each round. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Empty where it was not measured, which the name then explains. */
  readonly values: readonly number[];
  /** What the issue of performance asks of the median; absent where the figure only informs. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
}

/** One idea, measured. Answers its figures; tells its progress as it goes. */
export interface Benchmark {
  readonly title: string;
  run(options: BenchmarkOptions): Promise<readonly Figure[]>;
}

export interface BenchmarkOptions {
  /** Scales every duration and size that may shrink for a trial; 1 for figures that count. */
  readonly scale: number;
  readonly rounds: number;
  /** Where CPU profiles of the runtime go; undefined takes none, since taking one slows it. */
  readonly profiles: string | undefined;
  readonly progress: (line: string) => void;
}

/** Null where a figure has no goal, or was not measured. */
function isMet({ goal, values }: Figure): boolean | null {
  if (goal === undefined || values.length === 0) return null;
  const value = median(values);
  return "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** The table of all figures: min / median / max of the rounds, the goal, and whether it is met. */
export function tableOf(
  results: readonly { readonly title: string; readonly figures: readonly Figure[] }[],
): string {
  const rows = [["figure", "min / median / max", "unit", "goal", ""]];
  for (const { title, figures } of results) {
    rows.push([title, "", "", "", ""]);
    for (const figure of figures) rows.push(rowOf(figure));
  }
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function rowOf(figure: Figure): string[] {
  const { name, unit, values, goal } = figure;
  const verdict = { true: "met", false: "MISSED", null: "" }[
    String(isMet(figure)) as "true" | "false" | "null"
  ];
  return [`  ${name}`, shownValues(values), unit, goal === undefined ? "" : goalText(goal), verdict];
}

function shownValues(values: readonly number[]): string {
  if (values.length === 0) return "not measured";
  return values.length === 1 ? plain(values[0] ?? Number.NaN) : spread(values);
}

function goalText(goal: NonNullable<Figure["goal"]>): string {
  return "atLeast" in goal ? `≥ ${plain(goal.atLeast)}` : `≤ ${plain(goal.atMost)}`;
}
