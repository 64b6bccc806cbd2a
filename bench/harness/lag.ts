import { setTimeout as sleep } from "node:timers/promises";
import { partitionFor } from "../../src/kafka/partitioner.ts";
import { topics } from "../../src/topics.ts";
import { BridgeClient } from "./bridge-client.ts";
import { Connection, requestMaker } from "./connection.ts";
import type { System } from "./system.ts";

const partitionCount = 8;
const pollMs = 20;

/** How far one partition has come, as anyone with a key for reading sees it. */
interface Progress {
  /** Next journal offset to apply. */
  readonly position: number;
}

/** Watches positions by reading an item of each partition. The items have to exist. */
export class PositionWatch {
  readonly #connection: Connection;
  readonly #requests: readonly string[];

  private constructor(connection: Connection, requests: readonly string[]) {
    this.#connection = connection;
    this.#requests = requests;
  }

  /** @param itemId the name of the item with a number; numbers are tried until each partition has one */
  static async open(url: string, key: string, itemId: (number: number) => string): Promise<PositionWatch> {
    const requests: string[] = [];
    for (let number = 0; Object.keys(requests).length < partitionCount; number += 1) {
      const get = requestMaker("GET", `${url}/v1/items/${itemId(number)}`, {
        authorization: `Bearer ${key}`,
      });
      requests[partitionFor(itemId(number), partitionCount)] ??= get("");
    }
    return new PositionWatch(await Connection.open(url), requests);
  }

  /** In partition order. */
  async look(): Promise<Progress[]> {
    const seen: Progress[] = [];
    for (const request of this.#requests) {
      const { body } = await this.#connection.send(request);
      seen.push(JSON.parse(body.toString()) as Progress);
    }
    return seen;
  }

  /** Until every partition has applied what the log holds now. */
  async untilEnd(bridge: BridgeClient): Promise<void> {
    const ends = await bridge.ends(topics.journal, partitionCount);
    for (;;) {
      const positions = await this.look();
      if (positions.every(({ position }, partition) => position >= (ends[partition] ?? 0))) return;
      await sleep(pollMs);
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** Waits until everything in the journal is applied. */
export async function untilApplied(system: System, url: string): Promise<void> {
  const watch = await PositionWatch.open(url, system.key(), (number) => `item-${number}`);
  await watch.untilEnd(new BridgeClient(system));
  watch.close();
}
