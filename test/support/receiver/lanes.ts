import type { ReceivedCall } from "./call.ts";
import type { KnownDelivery, Place, Places } from "./places.ts";

export type LaneOrder = "key" | "partition" | "none";

/** What has to happen in turn: the records of one key, or of one partition. */
interface Lane {
  readonly name: string;
  /** In offset order. */
  readonly places: Place[];
  /** Whether each was done, or ended, when it came last. */
  readonly settled: boolean[];
  /** Every record before it is settled. */
  reach: number;
  /** The first record of the call before. */
  lastFirst: number;
  /** Of the calls before, the one that ended last; undefined before the first. */
  longest?: ReceivedCall;
}

interface LaneDelivery extends KnownDelivery {
  readonly index: number;
}

/** What holds between the records of a lane: order, and one call at a time. */
export class Lanes {
  readonly #laneOf = new Map<Place, { readonly lane: Lane; readonly index: number }>();
  readonly #tell: (violation: string) => void;

  constructor(order: LaneOrder, { all }: Places, tell: (violation: string) => void) {
    this.#tell = tell;
    if (order === "none") return;
    const named = Map.groupBy(all, ({ record: { topic, partition, key } }) =>
      order === "key" ? `key ${key} of ${topic}/${partition}` : `${topic}/${partition}`,
    );
    for (const [name, members] of named) {
      const places = members.toSorted((left, right) => left.record.offset - right.record.offset);
      const lane: Lane = { name, places, settled: places.map(() => false), reach: 0, lastFirst: 0 };
      for (const [index, place] of places.entries()) this.#laneOf.set(place, { lane, index });
    }
  }

  /** Follows a call; calls come in the order of beginning. */
  follow(call: ReceivedCall, known: readonly KnownDelivery[]): void {
    const byLane = new Map<Lane, LaneDelivery[]>();
    for (const delivery of known) {
      const found = this.#laneOf.get(delivery.place);
      if (found === undefined) continue;
      const deliveries = byLane.get(found.lane) ?? [];
      byLane.set(found.lane, deliveries);
      deliveries.push({ ...delivery, index: found.index });
    }
    for (const [lane, deliveries] of byLane) {
      this.#checkOverlap(lane, call);
      this.#checkOrder(lane, deliveries, call);
      settle(lane, deliveries, call);
    }
  }

  #checkOverlap(lane: Lane, call: ReceivedCall): void {
    const { longest } = lane;
    if (longest !== undefined && endOf(longest) > call.began) {
      this.#tell(`${call.id} was called while ${longest.id} ran, and both are of ${lane.name}`);
    }
    if (longest === undefined || endOf(call) > endOf(longest)) lane.longest = call;
  }

  #checkOrder(lane: Lane, deliveries: readonly LaneDelivery[], call: ReceivedCall): void {
    // What this call has brought so far counts as done for what stands behind it.
    let reach = lane.reach;
    let before = -1;
    for (const { index, place } of deliveries) {
      if (index < before) this.#tell(`${call.id} has ${place.name} behind a later record of ${lane.name}`);
      before = index;
      reach = settledFrom(lane, reach, call);
      if (index > reach) {
        const open = lane.places[reach]?.name;
        this.#tell(`${place.name} was delivered before ${open}, of the same ${lane.name}, had ended`);
        // Told once: what comes behind suffers from the same fault.
        lane.settled.fill(true, reach, index);
      }
      if (index >= reach) reach = index + 1;
      if (index >= lane.lastFirst) continue;
      const what =
        place.deadLetter === undefined ? `later records of ${lane.name} were` : "it was dead-lettered";
      this.#tell(`${place.name} was delivered after ${what}`);
    }
    lane.lastFirst = Math.min(...deliveries.map(({ index }) => index));
  }
}

function endOf({ ended = Number.POSITIVE_INFINITY }: ReceivedCall): number {
  return ended;
}

/** The first record from `start` on that is not settled when the call begins. */
function settledFrom(lane: Lane, start: number, call: ReceivedCall): number {
  let reach = start;
  for (let place = lane.places[reach]; place !== undefined; place = lane.places[reach]) {
    if (lane.settled[reach] !== true && !hasEnded(place, call)) break;
    reach += 1;
  }
  return reach;
}

/** A dead letter has ended with its last delivery, or without any. */
function hasEnded({ deadLetter, lastBegan }: Place, { began }: ReceivedCall): boolean {
  return deadLetter !== undefined && lastBegan < began;
}

/**
 * Takes over what was answered. Behind a record that is tried again nothing counts: it is called
 * again as well, so that the order holds.
 */
function settle(lane: Lane, deliveries: readonly LaneDelivery[], call: ReceivedCall): void {
  let isBlocked = false;
  for (const { index, place, verdict } of deliveries) {
    const isSettled = verdict === "done" || verdict === "reject";
    const endsHere = place.deadLetter !== undefined && place.lastBegan === call.began;
    isBlocked ||= !isSettled && !endsHere;
    const counts = isSettled && !isBlocked;
    lane.settled[index] = counts;
    if (!counts) lane.reach = Math.min(lane.reach, index);
  }
  lane.reach = settledFrom(lane, lane.reach, call);
}
