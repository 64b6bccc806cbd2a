import type { Clock } from "../../src/lib/clock.ts";
import { describeError, type Logger } from "../../src/lib/log.ts";
import type { PartProgress, ReplayFailure, Waiting } from "../../src/replays/replay.ts";
import type { CatalogStore, Replay } from "./catalog-store.ts";
import type { ConclusionAnswer, ReadAnswer, ReplayConclusionRpc, ReplayPartRpc } from "./rpc.ts";

/** Partitions that one replay reads at a time: what the log has to bear beside its live readers. */
const partsAtOnce = 2;
/** How long one part reads in one call, and how much: well within 30 s of CPU. */
const sliceMs = 1_000;
const sliceBytes = 16_000_000;
/** Objects that are emptied at a time: each is work for a disk that live objects may share. */
const discardsAtOnce = 2;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
/** An object that fails so often in a row, for no reason of the log's, will fail again. */
const mostFailures = 10;

/** A new stub at each call: one that failed stays broken. */
export interface ReplayObjects {
  part(id: string, partition: number): ReplayPartRpc;
  conclusion(id: string): ReplayConclusionRpc;
}

export interface DriverDependencies {
  readonly clock: Pick<Clock, "now">;
  readonly objects: ReplayObjects;
  readonly logger: Logger;
  readonly store: CatalogStore;
}

/**
 * Lets replays go on: a slice of a part, or of the conclusion, at a call. The objects that are called
 * keep their own positions, so that a call that is made twice, or whose answer is lost, does no harm:
 * what is kept here is what they last told.
 */
export class ReplayDriver {
  private readonly dependencies: DriverDependencies;

  constructor(dependencies: DriverDependencies) {
    this.dependencies = dependencies;
  }

  /** Drives one replay until a time, or as far as it goes for now. */
  async drive(id: string, until: number): Promise<void> {
    const { clock, store } = this.dependencies;
    const parts = store.parts(id);
    const taken = new Set<number>();
    await Promise.all(Array.from({ length: partsAtOnce }, () => this.readParts(id, parts, taken, until)));
    const read = parts.filter(({ from, to }) => to > from).map(({ partition }) => partition);
    while (parts.every(isRead) && clock.now() < until) {
      const replay = this.running(id);
      if (replay === undefined || (replay.conclusion.waiting?.retryAt ?? 0) > clock.now()) return;
      await this.conclude(replay, read);
    }
  }

  private running(id: string): Replay | undefined {
    const replay = this.dependencies.store.read(id);
    return replay?.status === "running" ? replay : undefined;
  }

  private async readParts(
    id: string,
    parts: PartProgress[],
    taken: Set<number>,
    until: number,
  ): Promise<void> {
    const { clock } = this.dependencies;
    for (;;) {
      const now = clock.now();
      const replay = this.running(id);
      const part = parts.find((one) => !isRead(one) && !taken.has(one.partition) && isDue(one.waiting, now));
      if (replay === undefined || part === undefined || now >= until) return;
      const bytes = replay.maximumBytes - parts.reduce((sum, one) => sum + one.bytes, 0);
      if (bytes <= 0) return this.fail(id, tooManyBytes(replay.maximumBytes));
      taken.add(part.partition);
      const told = await this.readSlice(replay, part, Math.min(bytes, sliceBytes));
      taken.delete(part.partition);
      if (told !== undefined) parts[parts.indexOf(part)] = told;
    }
  }

  /** What the part is now; undefined where the replay has ended meanwhile. */
  private async readSlice(
    replay: Replay,
    part: PartProgress,
    bytes: number,
  ): Promise<PartProgress | undefined> {
    const { objects, store } = this.dependencies;
    const { id, analysis, parameters, logTopic: topic } = replay;
    const { partition, from, to } = part;
    const order = { analysis, parameters, topic, partition, from, to, milliseconds: sliceMs, bytes };
    // Before the call: whatever comes of it, the object is emptied in the end.
    if (!part.isBegun) store.writePart(id, { ...part, isBegun: true });
    let answer: ReadAnswer | undefined;
    let waiting: Waiting | undefined;
    try {
      answer = await objects.part(id, partition).read(order);
      if (answer.kind === "waits") waiting = this.wait(part.waiting, answer.reason);
    } catch (error) {
      waiting = this.wait(part.waiting, describeError(error));
      if (waiting.failures >= mostFailures) this.fail(id, internal(waiting.reason));
    }
    if (answer?.kind === "failed") this.fail(id, answer.failure);
    if (this.running(id) === undefined) return undefined;
    const { waiting: _, ...before } = part;
    const progress = answer === undefined || answer.kind === "failed" ? before : answer.progress;
    const told = { ...progress, isBegun: true, ...(waiting === undefined ? {} : { waiting }) };
    store.writePart(id, told);
    return told;
  }

  private async conclude(replay: Replay, partitions: readonly number[]): Promise<void> {
    const { objects, store } = this.dependencies;
    const { id, analysis, parameters } = replay;
    const { waiting: before, ...progress } = replay.conclusion;
    let answer: ConclusionAnswer;
    try {
      answer = await objects.conclusion(id).conclude({ analysis, parameters, partitions });
    } catch (error) {
      const waiting = this.wait(before, describeError(error));
      if (waiting.failures >= mostFailures) return this.fail(id, internal(waiting.reason));
      const left = this.running(id);
      if (left !== undefined) store.write({ ...left, conclusion: { ...progress, waiting } });
      return;
    }
    if (answer.kind === "failed") return this.fail(id, answer.failure);
    const now = this.running(id);
    if (now === undefined) return;
    const { result } = { result: undefined, ...answer };
    const conclusion = answer.progress;
    if (result === undefined) return store.write({ ...now, conclusion });
    const finishedAt = this.dependencies.clock.now();
    store.transaction(() => {
      store.writeResult(id, result);
      store.write({ ...now, conclusion, status: "done", finishedAt });
    });
  }

  /** Empties the objects of a replay that has ended; where one cannot be, all are tried again later. */
  async discard(replay: Replay): Promise<void> {
    const { clock, logger, objects, store } = this.dependencies;
    const { id } = replay;
    const parts = store.parts(id);
    const begun = parts.filter(({ isBegun }) => isBegun);
    const discards = [
      ...begun.map(
        ({ partition }) =>
          () =>
            objects.part(id, partition).discard(),
      ),
      // Nothing is concluded before everything is read.
      ...(parts.every(isRead) ? [() => objects.conclusion(id).discard()] : []),
    ].values();
    const discardNext = async (): Promise<void> => {
      for (const discard of discards) await discard();
    };
    try {
      await Promise.all(Array.from({ length: discardsAtOnce }, discardNext));
      store.write({ ...replay, isDiscarded: true });
    } catch (error) {
      logger("warn", "replay-not-discarded", { replay: id, error: describeError(error) });
      store.write({ ...replay, discardAt: clock.now() + longestRetryMs });
    }
  }

  private fail(id: string, failure: ReplayFailure): void {
    const replay = this.running(id);
    if (replay === undefined) return;
    const finishedAt = this.dependencies.clock.now();
    this.dependencies.store.write({ ...replay, status: "failed", failure, finishedAt });
    this.dependencies.logger("warn", "replay-failed", { replay: id, code: failure.code });
  }

  private wait(before: Waiting | undefined, reason: string): Waiting {
    const failures = (before?.failures ?? 0) + 1;
    const delay = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10));
    return { reason, failures, retryAt: this.dependencies.clock.now() + delay };
  }
}

function isRead({ position, to }: PartProgress): boolean {
  return position >= to;
}

function isDue(waiting: Waiting | undefined, now: number): boolean {
  return waiting === undefined || waiting.retryAt <= now;
}

function tooManyBytes(maximumBytes: number): ReplayFailure {
  const detail = `The stretch has more than the ${maximumBytes} bytes that may be read`;
  return { code: "maximum-bytes", detail };
}

function internal(reason: string): ReplayFailure {
  return { code: "internal", detail: `It failed ${mostFailures} times in a row: ${reason}` };
}
