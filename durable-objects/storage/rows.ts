import type { PartitionStorage, SqlValue } from "../dependencies.ts";

/** The platform binds at most 100 parameters to a statement. */
const maximumParameters = 100;

/**
 * Runs one statement for many rows, as few statements as the platform allows: each costs more
 * than a row does.
 * @param width values of one row
 * @param values row after row
 * @param statementOf the statement around `(?, ?), (?, ?), …`
 */
export function writeRows(
  storage: PartitionStorage,
  width: number,
  values: readonly SqlValue[],
  statementOf: (rows: string) => string,
): void {
  const row = `(${Array.from({ length: width }, () => "?").join(", ")})`;
  const perStatement = Math.floor(maximumParameters / width) * width;
  for (let start = 0; start < values.length; start += perStatement) {
    const slice = values.slice(start, start + perStatement);
    const rows = Array.from({ length: slice.length / width }, () => row).join(", ");
    storage.run(statementOf(rows), ...slice);
  }
}
