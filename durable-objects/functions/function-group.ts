import { type TopicRole, topics } from "../../src/topics.ts";
import type { FunctionGroup } from "../../src/topology.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import type { Activity } from "../failures.ts";
import { OutboxSender } from "../outbox-sender.ts";
import { recordsOf } from "../pushed-records.ts";
import type { PushBatch } from "../rpc.ts";
import { TopicReplaced } from "../topic-identities.ts";
import { WakeUps } from "../wake-ups.ts";
import { callRecordsOf } from "./call-records.ts";
import type { DeadLetterEntry } from "./dead-letter-index.ts";
import type { ParkedEntry, ParkedPlace } from "./delivery-store.ts";
import type { Delivery } from "./delivery.ts";
import { Disabling } from "./disabling.ts";
import type { DrivenFunction, FunctionSource } from "./driven.ts";
import { GroupState, type GroupTopic, groupTopics } from "./group-state.ts";
import { TopicReading, type TopicReadingHost } from "./reading.ts";
import { GroupOperations } from "./operations.ts";
import type { CallRecord, FunctionGroupRpc, FunctionGroupStatus, Redriven, SeekAnswer } from "./rpc.ts";
import { Seek } from "./seek.ts";
import { startsOf } from "./starts.ts";
import { statusOf } from "./status.ts";
import { Turns, type TurnsHost } from "./turns.ts";

/** How long an alarm or a wake goes on. */
const sliceMs = 15_000;

export interface FunctionGroupDependencies extends PartitionDependencies {
  /** In [0, 1). */
  readonly random: () => number;
  readonly source: FunctionSource;
  /** Calls of all functions of the group at a time. */
  readonly mostCalls: number;
}

/**
 * One partition of a group of functions: reads its topic in offset order and drives the functions.
 * Wires the parts; each part argues its own ordering.
 */
export class FunctionGroupCore implements FunctionGroupRpc {
  private readonly dependencies: FunctionGroupDependencies;
  private readonly topic: string;
  private readonly state: GroupState;
  private readonly reading: TopicReading;
  private readonly turns: Turns;
  private readonly operations: GroupOperations;
  private readonly seeking: Seek;
  private readonly disabling: Disabling;
  private readonly sender: OutboxSender<GroupTopic>;
  private readonly wakeUps: WakeUps;
  private functions: readonly DrivenFunction[] | undefined;
  /** The last question for the functions; the next one waits for its answer. */
  private asked: Promise<void> = Promise.resolve();

  constructor(dependencies: FunctionGroupDependencies, declared: FunctionGroup) {
    const { group, partition, settings } = dependencies;
    const topic = settings.topicPrefix + topics[declared.topic];
    const source = `/groups/${group}/${partition}`;
    const state = new GroupState(dependencies, { group, topic, partition });
    this.dependencies = dependencies;
    this.topic = topic;
    this.state = state;
    const writer = `/groups/${declared.writer}/${partition}`;
    this.reading = new TopicReading(dependencies, { topic, writer, source, state, ...this.readingHost() });
    this.turns = new Turns(dependencies, this.turnsHost());
    const onChanged = () => this.turns.schedule();
    this.operations = new GroupOperations(dependencies, { topic, state, onChanged });
    this.seeking = new Seek(dependencies, {
      topic,
      state,
      untilNothingIsRead: () => this.reading.rest(),
      onOver: () => this.goOnReading(),
    });
    this.disabling = new Disabling(dependencies, {
      state,
      onFailure: (error) => this.fail("disable functions", error),
      onSuccess: () => this.wakeUps.succeed("disable functions"),
    });
    this.sender = this.makeSender(source);
    this.wakeUps = new WakeUps(dependencies, {
      isStopped: () => this.isStopped,
      hasWork: () => this.hasWork,
      nextDue: () => this.nextDue,
      followsTrustedTime: () => false,
    });
  }

  private readingHost(): Omit<TopicReadingHost, "topic" | "writer" | "source" | "state"> {
    return {
      driven: () => this.driven(),
      knowFunctions: () => this.knowFunctions(),
      isHeld: () => this.isHeld,
      onRead: () => this.turns.schedule(),
      onFailure: (activity, error) => this.fail(activity, error),
      onSuccess: (activity) => this.wakeUps.succeed(activity),
    };
  }

  private turnsHost(): TurnsHost {
    return {
      state: this.state,
      mostCalls: this.dependencies.mostCalls,
      driven: () => this.driven(),
      mayCall: () => !this.isHeld && !this.isStopped,
      onTurn: () => this.goOnWhereDue(),
      onFailure: (error) => this.fail("drive functions", error),
      onSuccess: () => this.wakeUps.succeed("drive functions"),
    };
  }

  private makeSender(source: string): OutboxSender<GroupTopic> {
    return new OutboxSender(this.dependencies, {
      source,
      topics: groupTopics,
      isStopped: () => this.isStopped,
      outbox: () => this.state.outbox,
      expand: () => {
        throw new TypeError("a group of functions has no fan-outs");
      },
      onAppended: (topic, records, places) => this.dependencies.handOn(topic, records, places),
      onFailure: (error) => this.fail("send outputs", error),
      onSent: () => {
        this.wakeUps.succeed("send outputs");
        this.turns.schedule();
      },
      settle: () => this.state.settleOutbox(),
    });
  }

  private get isStopped(): boolean {
    return this.reading.identities.isStopped;
  }

  /** Nothing is called or read: an operator said so, or the position is about to move. */
  private get isHeld(): boolean {
    return this.state.row.isPaused || this.seeking.holds;
  }

  private get hasWork(): boolean {
    if (!this.state.outbox.isEmpty) return true;
    if (this.isHeld) return false;
    const isCalling = [...this.state.deliveries.values()].some(({ inFlight }) => inFlight > 0);
    return isCalling || this.reading.hasWork;
  }

  private get nextDue(): number | null {
    // While the outbox is full nothing starts: what is due is not for now.
    if (this.isHeld || this.state.outbox.isFull) return null;
    const now = this.dependencies.clock.now();
    let soonest: number | null = null;
    // Where nothing may start now, the end of a call has a turn come.
    if (this.turns.isHeldUp(now)) return null;
    for (const delivery of this.state.deliveries.values()) {
      const due = delivery.nextDue(now);
      if (due !== null) soonest = Math.min(soonest ?? due, due);
    }
    return soonest;
  }

  private *driven(): Generator<readonly [DrivenFunction, Delivery]> {
    for (const driven of this.functions ?? []) {
      const delivery = this.state.deliveries.get(driven.name);
      if (delivery !== undefined) yield [driven, delivery];
    }
  }

  private async knowFunctions(): Promise<void> {
    if (this.functions === undefined) await this.askForFunctions();
  }

  /**
   * One question at a time: an answer that comes late would otherwise take the place of a later one,
   * and what is known of a function that it does not name yet would go.
   * @throws when the functions cannot be told; those that are known go on
   */
  private askForFunctions(): Promise<void> {
    const answered = this.asked.then(() => this.takeFunctions());
    this.asked = answered.catch(() => undefined);
    return answered;
  }

  private async takeFunctions(): Promise<void> {
    const functions = await this.dependencies.source.functions();
    const unknown = functions.filter(({ name }) => this.state.isUnknown(name));
    const starts = await startsOf(this.dependencies, this.topic, unknown);
    this.functions = functions;
    this.state.drive(functions, starts);
    // On record at once: read again after a failure, one that nothing is stored of would begin at the head.
    if (starts.size > 0) this.state.commit();
  }

  /** What failed is tried again when its retry is due, not with every turn. */
  private goOnWhereDue(): void {
    const { behind, reader } = this.reading;
    if (this.wakeUps.isDue("send outputs")) this.sender.kick();
    if (reader.isBehind && this.reading.mayTake && this.wakeUps.isDue("read the topic")) reader.kick();
    if (behind.isNeeded && this.wakeUps.isDue("catch up functions")) behind.kick();
    if (this.wakeUps.isDue("disable functions")) this.disabling.look(this.driven());
    this.wakeUps.arm();
  }

  private fail(activity: Activity, error: unknown): void {
    if (error instanceof TopicReplaced) this.reading.logCheck.forget();
    this.wakeUps.fail(activity, error);
  }

  /** Loads the state; before any other call. */
  async start(): Promise<void> {
    this.state.load();
    this.reading.identities.load();
    await this.wakeUps.load();
  }

  /** @throws {TypeError} for another topic's records: their offsets say nothing of this one's */
  push(batch: PushBatch<TopicRole>): Promise<{ readonly position: number }> {
    const { identities, reader } = this.reading;
    const named = this.dependencies.settings.topicPrefix + topics[batch.topic];
    if (named !== this.topic) return Promise.reject(new TypeError(`reads ${this.topic}, not ${named}`));
    const place = { topic: this.topic, partition: this.dependencies.partition };
    // What a push tells of another topic, only the log can tell for sure.
    if (!identities.matches("topic", batch.topicId)) void reader.catchUp();
    else if (!identities.isStopped) reader.offer(recordsOf(batch, place));
    this.wakeUps.arm();
    return Promise.resolve({ position: this.state.row.position });
  }

  async wakeFunctions(): Promise<FunctionGroupStatus> {
    this.reading.logCheck.forget();
    await this.goOn();
    return this.functionGroupStatus();
  }

  /** The object's alarm: goes on with what is under way, and with what is due. */
  async alarm(): Promise<void> {
    this.wakeUps.fired();
    await this.goOn();
  }

  /** Catches up with the topic and sends what is to be sent, for a while; then the alarm goes on. */
  private async goOn(): Promise<void> {
    const isOver = new AbortController();
    await Promise.race([this.goOnToTheEnd(), this.dependencies.clock.sleep(sliceMs, isOver.signal)]);
    isOver.abort();
    this.wakeUps.arm();
  }

  private async goOnToTheEnd(): Promise<void> {
    const { behind, logCheck, reader } = this.reading;
    try {
      // Only the log can tell that the topic that was read is back.
      if (this.isStopped) logCheck.forget();
      await this.reading.prepare();
      await this.askForFunctions();
    } catch (error) {
      this.fail("read the topic", error);
      // What was read before goes on.
      return this.turns.schedule();
    }
    this.turns.schedule();
    await reader.catchUp();
    behind.kick();
    await behind.rest();
    await this.sender.flush();
  }

  async subscriptionsChanged(): Promise<void> {
    try {
      await this.askForFunctions();
      this.turns.schedule();
    } catch (error) {
      this.fail("drive functions", error);
    }
  }

  setPaused(isPaused: boolean): Promise<void> {
    this.operations.setPaused(isPaused);
    if (!isPaused) this.goOnReading();
    return Promise.resolve();
  }

  /** What was pushed meanwhile may be in the log alone. */
  private goOnReading(): void {
    void this.reading.reader.catchUp();
    this.turns.schedule();
  }

  async seek(offset: number, maySkip: boolean): Promise<SeekAnswer> {
    await this.reading.prepare();
    return this.seeking.to(offset, maySkip);
  }

  parked(limit: number, after?: ParkedPlace): Promise<readonly ParkedEntry[]> {
    return Promise.resolve(this.operations.parked(limit, after));
  }

  async retryParked(key: string): Promise<number> {
    await this.reading.prepare();
    return this.operations.retry(key);
  }

  async skipParked(key: string): Promise<number> {
    await this.reading.prepare();
    return this.operations.skip(key);
  }

  deadLetters(limit: number, before?: number): Promise<readonly DeadLetterEntry[]> {
    return Promise.resolve(this.operations.deadLetters(limit, before));
  }

  async redrive(ids: readonly number[] | "all"): Promise<Redriven> {
    await this.reading.prepare();
    return this.operations.redrive(ids);
  }

  /** @throws while it is not known which functions there are */
  callsOf(offsets: readonly number[]): Promise<readonly CallRecord[]> {
    return this.knowFunctions().then(() => callRecordsOf(this.state, offsets));
  }

  /** @throws while it is not known which functions there are: nothing can be said of them */
  async functionGroupStatus(): Promise<FunctionGroupStatus> {
    // An object that has just come up would otherwise tell that nothing is unfinished.
    await this.knowFunctions();
    const { group, partition } = this.dependencies;
    const { identities, reader } = this.reading;
    const stalled = identities.stopped ?? this.wakeUps.stalled;
    const topicId = identities.idOf("topic");
    const told = {
      group,
      partition,
      topic: this.topic,
      isBehind: reader.isBehind,
      ...(topicId === undefined ? {} : { topicId }),
      ...(stalled === undefined ? {} : { stalled }),
    };
    return statusOf(this.state, told);
  }
}
