import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, Connection } from "./connection.ts";

export interface Load {
  /** Requests answered with the status that was expected. */
  readonly answered: number;
  /** Requests answered 503, which a client may send again. They count for nothing else. */
  readonly refused: number;
  readonly seconds: number;
  /** Of each of them, in milliseconds. */
  readonly latencies: readonly number[];
}

export interface ClosedLoop {
  readonly url: string;
  readonly connections: number;
  readonly milliseconds: number;
  readonly status: number;
  /** Answers of 503 are counted, where they would otherwise end the load. */
  readonly countsRefusals?: boolean;
  /** The request to send next; undefined ends the load early. */
  readonly next: () => string | undefined;
  readonly onAnswer?: (answer: Answer) => void;
}

/**
 * Sends on each connection one request after the other until the time is up.
 * @throws {Error} with the answer, when one has another status than the expected.
 */
export async function closedLoop(loop: ClosedLoop): Promise<Load> {
  const connections = await Promise.all(
    Array.from({ length: loop.connections }, () => Connection.open(loop.url)),
  );
  const load = await keepInFlight(loop.connections, loop.milliseconds, async (lane) => {
    const request = loop.next();
    const connection = connections[lane];
    if (request === undefined || connection === undefined) return "end";
    const answer = await connection.send(request);
    if (answer.status === 503 && loop.countsRefusals === true) return "refused";
    expectStatus(answer, loop.status);
    loop.onAnswer?.(answer);
    return "answered";
  });
  for (const connection of connections) connection.close();
  return load;
}

/** Keeps so many calls under way until the time is up. A lane's calls follow each other. */
export async function keepInFlight(
  inFlight: number,
  milliseconds: number,
  call: (lane: number) => Promise<"answered" | "refused" | "end">,
): Promise<Load> {
  const latencies: number[] = [];
  let refused = 0;
  const start = performance.now();
  const end = start + milliseconds;
  const keepGoing = async (lane: number): Promise<void> => {
    for (let sentAt = performance.now(); sentAt < end; sentAt = performance.now()) {
      const outcome = await call(lane);
      if (outcome === "end") break;
      if (outcome === "refused") refused += 1;
      else latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, lane) => keepGoing(lane)));
  return { answered: latencies.length, refused, seconds: (performance.now() - start) / 1000, latencies };
}

export function expectStatus(answer: Answer, status: number): void {
  if (answer.status === status) return;
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.body.toString("utf8", 0, 500)}`);
}

/**
 * Calls `start` at an even rate, whatever the calls take, and waits for all of them. The timer's
 * grain is a millisecond: what is due within it starts together.
 */
export async function openLoop(
  perSecond: number,
  count: number,
  start: (index: number) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1);
    for (; index < due; index += 1) running.push(start(index));
    await sleep(1);
  }
  await Promise.all(running);
}
