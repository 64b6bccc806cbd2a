import type { PartitionStorage } from "../dependencies.ts";

/** UTF-16 units of one row: 1.5 MB of UTF-8 at most, where a row takes 2 MB. */
const rowUnits = 500_000;

/** Texts of any length by name, each in as many rows as it needs. */
export class StoredTexts {
  private readonly storage: PartitionStorage;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
  }

  read(name: string): string | undefined {
    const rows = this.storage.all<{ text: string }>(
      `SELECT text FROM texts WHERE name = ? ORDER BY part`,
      name,
    );
    return rows.length === 0 ? undefined : rows.map(({ text }) => text).join("");
  }

  write(name: string, text: string): void {
    let part = 0;
    for (let start = 0; start < text.length || part === 0; part += 1) {
      const end = endOfRow(text, start);
      this.storage.run(
        `INSERT OR REPLACE INTO texts (name, part, text) VALUES (?, ?, ?)`,
        name,
        part,
        text.slice(start, end),
      );
      start = end;
    }
    this.storage.run(`DELETE FROM texts WHERE name = ? AND part >= ?`, name, part);
  }

  remove(name: string): void {
    this.storage.run(`DELETE FROM texts WHERE name = ?`, name);
  }
}

/** Half of a surrogate pair is no text for SQLite: a row ends before a pair or behind it. */
function endOfRow(text: string, start: number): number {
  const end = Math.min(text.length, start + rowUnits);
  const isInPair = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isInPair ? end - 1 : end;
}
