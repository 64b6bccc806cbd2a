export interface Column {
  readonly title: string;
  /** To the right, as numbers are. */
  readonly isNumber?: true;
  /** Its cells may be cut where the line would be too long: before others, or after those that are. */
  readonly isCut?: "early" | "late";
}

const gap = "  ";
/** A column is cut no shorter. */
const narrowest = 8;

/** Cells under their titles, in lines of at most `width` characters as far as cutting helps. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => lengthOf(row[index] ?? ""))));
  shrink(widths, columns, width);
  const lines = cells.map((row) =>
    columns
      .map(({ isNumber }, index) => {
        const room = widths[index] ?? 0;
        const text = cut(row[index] ?? "", room);
        const filler = " ".repeat(room - lengthOf(text));
        return isNumber === true ? filler + text : text + filler;
      })
      .join(gap)
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** Takes from the widest of those that may be cut, the early ones first, until the line fits. */
function shrink(widths: number[], columns: readonly Column[], width: number): void {
  const total = widths.reduce((sum, one) => sum + one, 0) + gap.length * (widths.length - 1);
  let over = total - width;
  for (const turn of ["early", "late"] as const) {
    while (over > 0) {
      const widest = widestOf(widths, columns, turn);
      if (widest === undefined) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      over -= 1;
    }
  }
}

function widestOf(
  widths: readonly number[],
  columns: readonly Column[],
  turn: "early" | "late",
): number | undefined {
  let widest: number | undefined;
  for (const [index, { isCut }] of columns.entries()) {
    const room = widths[index] ?? 0;
    if (isCut !== turn || room <= narrowest) continue;
    if (widest === undefined || room > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

/** What others wrote into a record must not steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "\ufffd");
}

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function charactersOf(text: string): string[] {
  return Array.from(characters.segment(text), ({ segment }) => segment);
}

function lengthOf(text: string): number {
  return charactersOf(text).length;
}

function cut(text: string, room: number): string {
  const all = charactersOf(text);
  return all.length <= room ? text : `${all.slice(0, room - 1).join("")}…`;
}
