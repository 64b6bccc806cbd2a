import type { CommitRequest, ConsumeRequest, HandedOut } from "../groups.ts";
import { type EventLog, LogFailure, type ReadResult, type TopicPartitionOffset } from "../log.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import { type Position, positionKey } from "./positions.ts";
import { pause } from "./wait.ts";

/** How often an instance shows the group that it is there, and learns of a rebalance. */
const HEARTBEAT_MS = 1_000;
/** How long a commit waits for a rebalance to end. */
const COMMIT_WAIT_MS = 5_000;

const NOTHING: ReadResult = { records: [], count: 0, partitions: [] };
const NOTHING_OUT: HandedOut = { read: NOTHING, takeBack: async () => {} };

/**
 * One instance on the copy of the bridge that acts as it. Its calls take turns, and a new one ends
 * the wait of the one before: a client that asks again no longer listens for the former answer.
 */
export class Instance {
  readonly membership: Membership;
  readonly #log: Pick<EventLog, "read" | "offsets">;
  #turn: Promise<unknown> = Promise.resolve();
  #interrupt = new AbortController();
  /** Calls under way, and when the last one ended. */
  #calls = 0;
  #lastCall = performance.now();
  #handedOutAt = 0;
  /** A write failed, and the group may keep notes of an answer that was never given. */
  #notesInDoubt = false;
  #beat: NodeJS.Timeout;

  constructor(options: MembershipOptions) {
    this.#log = options.log;
    this.membership = new Membership(options);
    this.#beat = setTimeout(() => void this.#onBeat(), HEARTBEAT_MS);
  }

  /** Ends what waits and lets go of the instance. */
  end(): void {
    clearTimeout(this.#beat);
    this.#interrupt.abort();
    this.membership.end();
  }

  /** @param until on the clock of `performance.now()` */
  consume(request: ConsumeRequest, topics: readonly string[], until: number): Promise<HandedOut> {
    return this.#inTurn(async (interrupt) => {
      this.membership.forgetLost();
      this.membership.subscribe(topics);
      const signals = request.signal === undefined ? [interrupt] : [interrupt, request.signal];
      const signal = AbortSignal.any(signals);
      while (await this.membership.ready(until - performance.now(), signal)) {
        const handed = await this.#handOut(request.maxBytes, until, signal);
        if (handed !== null) return handed;
      }
      return NOTHING_OUT;
    });
  }

  /** @throws {LogFailure} */
  commit(offsets: CommitRequest["offsets"]): Promise<void> {
    return this.#inTurn(async (interrupt) => {
      const { membership } = this;
      if (!(await membership.ready(COMMIT_WAIT_MS, interrupt))) throw rebalanced();
      const change = () => (offsets === null ? this.#handedOut() : this.#asGiven(offsets));
      if (!(await membership.write(membership.over, change))) throw rebalanced();
    });
  }

  /** Commits what was handed out, where the instance does so by itself. */
  async commitHandedOut(): Promise<void> {
    const { membership } = this;
    if (!membership.subscription.settings.autoCommit) return;
    await membership.write(membership.over, () => membership.positions.map(done).filter(isBehind));
    function isBehind(position: Position): boolean {
      return membership.position(position)?.committed !== position.committed;
    }
  }

  /** Reads, and gives what was read; null when the generation passed meanwhile. */
  async #handOut(maxBytes: number, until: number, signal: AbortSignal): Promise<HandedOut | null> {
    const { membership } = this;
    const { over, positions } = membership;
    const timeoutMs = Math.max(0, until - performance.now());
    const wait = AbortSignal.any([over, signal]);
    const asked = positions.map(({ topic, partition, next }) => ({ topic, partition, offset: next }));
    const read = await this.#read(asked, maxBytes, timeoutMs, wait);
    if (over.aborted) return null;
    if (signal.aborted) return NOTHING_OUT;
    const gone = positions.filter(({ next }, index) => next < (read.partitions[index]?.start ?? 0));
    if (gone.length > 0 && membership.subscription.settings.offsetReset !== "earliest") {
      // Other partitions' records are in the same bytes: all of it is read again by the next call.
      await membership.reset(over, gone);
      return NOTHING_OUT;
    }
    if (!(await this.#note(over, read))) return null;
    if (read.records.length > 0) this.#handedOutAt = performance.now();
    return { read, takeBack: () => this.#takeBack(over, positions) };
  }

  async #read(
    positions: readonly TopicPartitionOffset[],
    maxBytes: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ReadResult> {
    if (positions.length > 0) return this.#log.read({ positions, maxBytes, timeoutMs, signal });
    await pause(timeoutMs, signal);
    return NOTHING;
  }

  /** Before the answer: what the last one handed out is done, and where this one ends. */
  async #note(over: AbortSignal, read: ReadResult): Promise<boolean> {
    try {
      const written = await this.membership.write(over, () => this.#after(read));
      if (written) this.#notesInDoubt = false;
      return written;
    } catch (error) {
      this.#notesInDoubt = true;
      void this.#restoreNotes();
      throw error;
    }
  }

  /** The positions that an answer changes. */
  #after(read: ReadResult): readonly Position[] {
    const { membership } = this;
    const { autoCommit } = membership.subscription.settings;
    return read.partitions.flatMap((partition) => {
      const before = membership.position(partition);
      if (before === undefined) return [];
      const committed = autoCommit ? before.next : before.committed;
      const after = { ...before, committed, next: partition.next, generation: membership.generation };
      const same = committed === before.committed && after.next === before.next;
      const isOld = after.next !== committed && after.generation !== before.generation;
      return same && !isOld && !this.#notesInDoubt ? [] : [after];
    });
  }

  /** What the group may have noted of an answer that was never given: another copy would skip it. */
  async #restoreNotes(): Promise<void> {
    const { membership } = this;
    if (!this.#notesInDoubt) return;
    try {
      const written = await membership.write(membership.over, () => membership.positions);
      if (written) this.#notesInDoubt = false;
    } catch {
      // The next beat tries again.
    }
  }

  /** The answer was lost on its way: the next one begins where it did. */
  async #takeBack(over: AbortSignal, before: readonly Position[]): Promise<void> {
    await this.membership.write(over, () =>
      before.flatMap((position) => {
        const now = this.membership.position(position);
        if (now === undefined || now.next <= position.next) return [];
        return [{ ...now, next: Math.max(position.next, now.committed) }];
      }),
    );
  }

  /** @throws {LogFailure} where a rebalance came between the answer and its commit. */
  #handedOut(): readonly Position[] {
    const { membership } = this;
    const open = membership.positions.filter(({ next, committed }) => next !== committed);
    const passed = open.some(({ generation }) => generation !== membership.generation);
    if (passed || membership.lostUncommitted) throw rebalanced();
    return open.map(done);
  }

  #asGiven(offsets: readonly TopicPartitionOffset[]): readonly Position[] {
    return offsets.map((offset) => {
      const position = this.membership.position(offset);
      if (position !== undefined) return { ...position, committed: offset.offset };
      const place = positionKey(offset);
      throw new LogFailure("refused", "none", `${place} is not this instance's: the group has shared it out`);
    });
  }

  async #inTurn<T>(action: (interrupt: AbortSignal) => Promise<T>): Promise<T> {
    this.#interrupt.abort();
    const interrupt = (this.#interrupt = new AbortController());
    this.#calls++;
    const turn = this.#turn.then(() => action(interrupt.signal));
    this.#turn = turn.catch(() => undefined);
    return turn.finally(() => {
      this.#calls--;
      this.#lastCall = performance.now();
    });
  }

  async #onBeat(): Promise<void> {
    const { membership } = this;
    if (membership.ended) return;
    const { autoCommitIntervalMs, sessionTimeoutMs } = membership.subscription.settings;
    const isIdle = this.#calls === 0 && performance.now() - this.#lastCall >= sessionTimeoutMs;
    try {
      await this.#restoreNotes();
      if (performance.now() - this.#handedOutAt >= autoCommitIntervalMs) await this.commitHandedOut();
      if (isIdle) await membership.leave();
      else await membership.confirm();
    } catch {
      // The group cannot be reached: the next beat tries again, and a call of the instance tells.
    }
    if (!membership.ended) this.#beat = setTimeout(() => void this.#onBeat(), HEARTBEAT_MS);
  }
}

function done(position: Position): Position {
  return { ...position, committed: position.next };
}

function rebalanced(): LogFailure {
  return new LogFailure("unavailable", "none", "the group has rebalanced: consume again before a commit");
}
