import type { PartitionStorage } from "../dependencies.ts";
import type { TrailPage, TrailPages } from "./trail.ts";

/** Pages that are kept of each function: its last 16,000 calls and more. */
const keptPages = 64;

/** Pages of a function's recent calls. */
export class StoredTrail implements TrailPages {
  private readonly storage: PartitionStorage;
  private readonly name: string;

  constructor(storage: PartitionStorage, name: string) {
    this.storage = storage;
    this.name = name;
  }

  add({ page, lowest, highest, calls }: TrailPage): number {
    const { name, storage } = this;
    storage.run(
      `INSERT INTO trail_pages (function, page, lowest, highest, calls) VALUES (?, ?, ?, ?, ?)`,
      name,
      page,
      lowest,
      highest,
      calls,
    );
    const isOld = `function = ? AND page <= ?`;
    const oldest = page - keptPages;
    const [dropped] = storage.all<{ highest: number | null }>(
      `SELECT max(highest) AS highest FROM trail_pages WHERE ${isOld}`,
      name,
      oldest,
    );
    if (dropped === undefined || dropped.highest === null) return -1;
    storage.run(`DELETE FROM trail_pages WHERE ${isOld}`, name, oldest);
    return dropped.highest;
  }

  /** Texts of pages that may have offsets from `lowest` to `highest`, newest first. */
  *between(lowest: number, highest: number): Generator<string> {
    const rows = this.storage.all<{ calls: string }>(
      `SELECT calls FROM trail_pages WHERE function = ? AND lowest <= ? AND highest >= ? ORDER BY page DESC`,
      this.name,
      highest,
      lowest,
    );
    for (const { calls } of rows) yield calls;
  }
}
