import { randomUUID } from "node:crypto";
import type { Answer, Harness, StoredMessage } from "./harness.ts";

/** How long anything that a group does may take on a slow machine. */
export const PATIENCE_MS = 25_000;

export interface Assignment {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface Group {
  readonly name: string;
  readonly instances: readonly { readonly name: string; readonly topics: readonly Assignment[] }[];
}

/** A group that no other test knows. */
export function newGroup(): string {
  return `group-${randomUUID()}`;
}

export interface Consumed {
  readonly topics: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** One instance of a group, called through whichever copy of the bridge a call names. */
export class TestInstance {
  readonly path: string;
  readonly #harness: Harness;
  readonly #consumed: Consumed;

  constructor(harness: Harness, group: string, instance: string, consumed: Consumed) {
    this.#harness = harness;
    this.#consumed = consumed;
    this.path = `${group}/${instance}`;
  }

  /** One call, whatever it answers. */
  call(timeout: number, harness: Harness = this.#harness): Promise<Answer<StoredMessage[]>> {
    const { topics, headers = {} } = this.#consumed;
    return harness.send<StoredMessage[]>(`/consume/${this.path}`, { topics, timeout }, { headers });
  }

  async consume(timeout: number, harness?: Harness): Promise<StoredMessage[]> {
    const { status, body } = await this.call(timeout, harness);
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Consumes until it has so many records or more. */
  async take(count: number): Promise<StoredMessage[]> {
    const all: StoredMessage[] = [];
    await until(async () => {
      all.push(...(await this.consume(500)));
      return all.length >= count;
    });
    return all;
  }

  commit(body?: unknown, harness: Harness = this.#harness): Promise<Answer> {
    return harness.send(`/commit/${this.path}`, body, { method: "POST" });
  }

  async committed(topic: string, partitions: readonly number[]): Promise<number[]> {
    const wanted = partitions.map((partition) => ({ topic, partition }));
    const { body } = await this.#harness.send<{ offset: number }[]>(`/committed/${this.path}`, wanted);
    return body.map(({ offset }) => offset);
  }

  /** Partitions of each of the instances, as `consumers` tells; `{}` for a group that is not there. */
  async shares(): Promise<Record<string, readonly Assignment[]>> {
    const { body } = await this.#harness.send<Group[]>("/consumers");
    const group = body.find(({ name }) => name === this.path.split("/")[0]);
    return Object.fromEntries((group?.instances ?? []).map(({ name, topics }) => [name, topics]));
  }
}

/** @throws {Error} when it takes longer than any machine should. */
export async function until(isDone: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error("it has not come about in time");
  }
}

/** Both consume, and neither is handed anything, until each has so many partitions of the topic. */
export async function shareOut(
  instances: readonly TestInstance[],
  topic: string,
  counts: readonly number[],
): Promise<void> {
  await until(async () => {
    await Promise.all(instances.map((instance) => instance.consume(200)));
    const shares = await instances[0]?.shares();
    return instances.every((instance, index) => {
      const share = shares?.[instance.path.split("/")[1] ?? ""] ?? [];
      return (share.find((one) => one.topic === topic)?.partitions.length ?? 0) === counts[index];
    });
  });
}

export function values(messages: readonly StoredMessage[]): string[] {
  return messages.map(({ value }) => value);
}
