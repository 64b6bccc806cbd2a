import type {
  ConclusionProgress,
  PartProgress,
  ReplayFailure,
  ReplaySettings,
  ReplayStatus,
  ReplayView,
} from "../../src/replays/replay.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { StoredTexts } from "./stored-text.ts";

/** A replay as the catalog keeps it; its parts and its result are in rows of their own. */
export interface Replay extends ReplaySettings {
  readonly status: ReplayStatus;
  readonly failure?: ReplayFailure;
  readonly finishedAt?: number;
  readonly conclusion: ConclusionProgress;
  /** Whether its own objects have been emptied, once it has ended; and when that is tried again. */
  readonly isDiscarded: boolean;
  readonly discardAt?: number;
}

/** The tables of the catalog. */
export class CatalogStore {
  private readonly storage: PartitionStorage;
  private readonly texts: StoredTexts;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    this.texts = new StoredTexts(storage);
  }

  read(id: string): Replay | undefined {
    const [row] = this.storage.all<{ replay: string }>(`SELECT replay FROM replays WHERE id = ?`, id);
    return row === undefined ? undefined : (JSON.parse(row.replay) as Replay);
  }

  /** Those for which something is to be done still, in the order in which they were asked for. */
  unsettled(): Replay[] {
    return this.select(`WHERE settled_at IS NULL ORDER BY id`);
  }

  newest(limit: number): Replay[] {
    return this.select(`ORDER BY id DESC LIMIT ?`, limit);
  }

  private select(which: string, ...parameters: number[]): Replay[] {
    return this.storage
      .all<{ replay: string }>(`SELECT replay FROM replays ${which}`, ...parameters)
      .map(({ replay }) => JSON.parse(replay) as Replay);
  }

  /** When the replay ended that ended first of those that are settled; null where there is none. */
  firstSettledAt(): number | null {
    const [row] = this.storage.all<{ first: number | null }>(`SELECT min(settled_at) AS first FROM replays`);
    return row?.first ?? null;
  }

  /** Forgets what is settled and ended by a time. */
  removeSettledBy(time: number): void {
    const rows = this.storage.all<{ id: string }>(`SELECT id FROM replays WHERE settled_at <= ?`, time);
    for (const { id } of rows) this.remove(id);
  }

  /** Forgets the oldest of what is settled, where there are more than may be. */
  keepNewest(most: number): void {
    const rows = this.storage.all<{ id: string }>(
      `SELECT id FROM replays WHERE settled_at IS NOT NULL ORDER BY id
         LIMIT (SELECT max(0, count(*) - ?) FROM replays)`,
      most,
    );
    for (const { id } of rows) this.remove(id);
  }

  write(replay: Replay): void {
    this.storage.run(
      `INSERT OR REPLACE INTO replays (id, settled_at, replay) VALUES (?, ?, ?)`,
      replay.id,
      replay.isDiscarded ? (replay.finishedAt ?? 0) : null,
      JSON.stringify(replay),
    );
  }

  parts(id: string): PartProgress[] {
    return this.storage
      .all<{ part: string }>(`SELECT part FROM parts WHERE replay_id = ? ORDER BY partition`, id)
      .map(({ part }) => JSON.parse(part) as PartProgress);
  }

  writePart(id: string, part: PartProgress): void {
    this.storage.run(
      `INSERT OR REPLACE INTO parts (replay_id, partition, part) VALUES (?, ?, ?)`,
      id,
      part.partition,
      JSON.stringify(part),
    );
  }

  writeResult(id: string, result: string): void {
    this.texts.write(id, result);
  }

  /** With its result where it has one, and that is asked for. */
  view(replay: Replay, withResult: boolean): ReplayView {
    const { isDiscarded: _, discardAt: __, ...shown } = replay;
    const result = withResult ? this.texts.read(replay.id) : undefined;
    return { ...shown, parts: this.parts(replay.id), ...(result === undefined ? {} : { result }) };
  }

  private remove(id: string): void {
    this.storage.transaction(() => {
      this.storage.run(`DELETE FROM replays WHERE id = ?`, id);
      this.storage.run(`DELETE FROM parts WHERE replay_id = ?`, id);
      this.texts.remove(id);
    });
  }

  transaction(change: () => void): void {
    this.storage.transaction(change);
  }
}
