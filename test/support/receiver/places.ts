import type { Delivery, ReceivedCall, Verdict } from "./call.ts";

export interface ExpectedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
}

export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When it was written (milliseconds since the epoch), where that is known. */
  readonly at?: number;
}

/** A record that was expected, and what is known of its deliveries. */
export interface Place {
  readonly name: string;
  readonly record: ExpectedRecord;
  readonly deadLetter?: DeadLetter;
  id?: string;
  attempt: number;
  /** Where it came last, by when that call began; -1: nowhere. */
  lastBegan: number;
  lastVerdict?: Verdict;
}

/** A delivery of a record that was expected. */
export interface KnownDelivery {
  readonly place: Place;
  readonly verdict: Verdict;
}

type Coordinates = Pick<ExpectedRecord, "topic" | "partition" | "offset">;

const nameOf = ({ topic, partition, offset }: Coordinates): string => `${topic}/${partition}/${offset}`;

/** What holds of each record by itself, whatever the order. */
export class Places {
  readonly all: readonly Place[];
  readonly #byName = new Map<string, Place>();
  readonly #nameById = new Map<string, string>();
  readonly #tell: (violation: string) => void;

  constructor(
    records: readonly ExpectedRecord[],
    deadLetters: readonly DeadLetter[],
    tell: (violation: string) => void,
  ) {
    this.#tell = tell;
    const dead = new Map(deadLetters.map((deadLetter) => [nameOf(deadLetter), deadLetter]));
    if (dead.size < deadLetters.length) tell("a record is a dead letter twice");
    for (const record of records) {
      const name = nameOf(record);
      const deadLetter = dead.get(name);
      const place: Place = { name, record, attempt: 0, lastBegan: -1 };
      this.#byName.set(name, deadLetter === undefined ? place : { ...place, deadLetter });
      dead.delete(name);
    }
    for (const name of dead.keys()) tell(`${name} is a dead letter, and was not expected`);
    this.all = [...this.#byName.values()];
  }

  /** Checks what each delivery of a call says of its record; answers those that were expected. */
  readCall(call: ReceivedCall): KnownDelivery[] {
    const known = call.deliveries.flatMap((delivery) => {
      const place = this.#byName.get(nameOf(delivery));
      if (place === undefined) this.#tell(`${nameOf(delivery)} was delivered, and was not expected`);
      else this.#read(place, delivery, call);
      return place === undefined ? [] : [{ place, verdict: delivery.verdict }];
    });
    if (new Set(known.map(({ place }) => place)).size < known.length) {
      this.#tell(`${call.id} has a record twice in one call`);
    }
    return known;
  }

  #read(place: Place, { id, key, attempt, verdict }: Delivery, { began, beganAt }: ReceivedCall): void {
    const { name, deadLetter } = place;
    if (key !== place.record.key) this.#tell(`${name} was delivered with the key ${key}`);
    place.id ??= id;
    if (id !== place.id) this.#tell(`${name} was delivered as ${place.id}, and later as ${id}`);
    const owner = this.#nameById.get(id) ?? name;
    this.#nameById.set(id, owner);
    if (owner !== name) this.#tell(`${id} is the id of ${owner} and of ${name}`);
    if (attempt < Math.max(place.attempt, 1)) {
      this.#tell(`${name} was delivered as attempt ${attempt} after attempt ${place.attempt}`);
    }
    if (deadLetter?.at !== undefined && beganAt > deadLetter.at) {
      this.#tell(`${name} was delivered after it was dead-lettered`);
    }
    place.attempt = attempt;
    place.lastBegan = began;
    place.lastVerdict = verdict;
  }

  /** Once all calls are read: nothing is missing, and nothing was given up in silence. */
  checkEnds(): void {
    for (const { name, deadLetter, lastVerdict } of this.all) {
      if (deadLetter !== undefined || lastVerdict === "done") continue;
      this.#tell(
        lastVerdict === undefined
          ? `${name} was never delivered`
          : `${name} was last answered as ${lastVerdict}, and is no dead letter`,
      );
    }
  }
}
