import { listItems } from "./harness/auctions.ts";
import { Connection, requestMaker } from "./harness/connection.ts";
import type { Counters } from "./harness/counters.ts";
import { cpuTimes } from "./harness/cpu.ts";
import { bidBody, bidderOf } from "./harness/events.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { untilApplied } from "./harness/lag.ts";
import { closedLoop } from "./harness/load.ts";
import { MeasuredObject } from "./harness/measured.ts";
import { type RunningWorker, type System, withSystem } from "./harness/system.ts";

const itemCount = 10_000;
const partitionCount = 8;
const seconds = 10;
const warmUpSeconds = 2;
const auctionMs = 60 * 60 * 1000;

/** Dollars. Source: Cloudflare's paid plan, Workers and Durable Objects with SQLite, 2026-11. */
const price = {
  workerRequest: 0.3e-6,
  workerCpuMs: 0.02e-6,
  objectRequest: 0.15e-6,
  objectGigabyteSecond: 12.5e-6,
  rowWritten: 1e-6,
  rowRead: 0.001e-6,
};
const objectGigabytes = 0.128;

/**
 * (f) What an event costs in the units of the price list, counted while batches of 1,000 and
 * single bids keep the gateway busy. Half of the bids are on a hot item of each hundred, as in
 * Nexmark. All CPU of the runtime is counted as the Worker's, and every object as active all the
 * time: both are upper bounds.
 */
export const cost: Benchmark = {
  title: "(f) price of a million events",
  run: (options) => withSystem((system) => measure(system, options)),
};

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  await system.startBridge();
  const worker = await system.startWorker("measured");
  const itemIds = Array.from({ length: itemCount }, (_, index) => `item-${index}`);
  await listItems(worker.url, system.key(), itemIds, Date.now() + auctionMs);
  const meter = new Meter(system, worker);
  await meter.open();
  const saturated = await meter.run("batches of 1,000", { perRequest: 1000, connections: 4 }, options);
  const singles = await meter.run("single bids, 32 connections", { perRequest: 1, connections: 32 }, options);
  meter.close();
  const goal = { atMost: 1.5 };
  return [...figuresOf("batches of 1,000", saturated, goal), ...figuresOf("single bids", singles)];
}

interface Usage {
  readonly events: number;
  readonly seconds: number;
  readonly workerRequests: number;
  readonly cpuMs: number;
  readonly objects: Counters;
}

class Meter {
  readonly #system: System;
  readonly #worker: RunningWorker;
  #connection: Connection | undefined;
  #objects: readonly MeasuredObject[] = [];
  #bids = 0;

  constructor(system: System, worker: RunningWorker) {
    this.#system = system;
    this.#worker = worker;
  }

  async open(): Promise<void> {
    const connection = await Connection.open(this.#worker.url);
    this.#connection = connection;
    this.#objects = Array.from(
      { length: partitionCount },
      (_, partition) => new MeasuredObject(connection, `auction/${partition}`),
    );
  }

  close(): void {
    this.#connection?.close();
  }

  async run(
    name: string,
    { perRequest, connections }: { readonly perRequest: number; readonly connections: number },
    { scale, progress }: BenchmarkOptions,
  ): Promise<Usage> {
    const { url } = this.#worker;
    const next = this.#requests(perRequest);
    const load = (length: number) =>
      closedLoop({ url, connections, milliseconds: 1000 * length * scale, status: 202, next });
    await load(warmUpSeconds);
    await untilApplied(this.#system, url);
    const before = await this.#counters();
    const cpuBefore = cpuTimes(this.#system.bridge, this.#worker).workerd;
    const { answered, seconds: took } = await load(seconds);
    await untilApplied(this.#system, url);
    const objects = difference(before, await this.#counters());
    const cpuMs = cpuTimes(this.#system.bridge, this.#worker).workerd - cpuBefore;
    progress(`${name}: ${Math.round((answered * perRequest) / took)} events/s`);
    return { events: answered * perRequest, seconds: took, workerRequests: answered, cpuMs, objects };
  }

  #requests(perRequest: number): () => string {
    const headers = {
      authorization: `Bearer ${this.#system.key()}`,
      "content-type": "application/json",
      prefer: "return=minimal",
    };
    const post = requestMaker("POST", `${this.#worker.url}/v1/bids`, headers);
    return () => {
      const bodies = Array.from({ length: perRequest }, () => this.#bid());
      return post(perRequest === 1 ? (bodies[0] ?? "") : `[${bodies.join(",")}]`);
    };
  }

  #bid(): string {
    this.#bids += 1;
    const item = (Math.imul(this.#bids, 0x9e3779b1) >>> 0) % itemCount;
    const hot = this.#bids % 2 === 0 ? item - (item % 100) : item;
    return bidBody(`item-${hot}`, bidderOf(this.#bids), 100 + this.#bids);
  }

  /** Of all objects together. */
  async #counters(): Promise<Counters> {
    let sum: Counters | undefined;
    for (const object of this.#objects) {
      const counters = await object.counters();
      sum = sum === undefined ? counters : combine(sum, counters, (left, right) => left + right);
    }
    if (sum === undefined) throw new Error("no objects");
    return sum;
  }
}

function difference(before: Counters, after: Counters): Counters {
  return combine(after, before, (left, right) => left - right);
}

function combine(
  left: Counters,
  right: Counters,
  operation: (left: number, right: number) => number,
): Counters {
  const result = { ...left };
  for (const name of Object.keys(left) as (keyof Counters)[])
    result[name] = operation(left[name], right[name]);
  return result;
}

function figuresOf(name: string, usage: Usage, goal?: Figure["goal"]): Figure[] {
  const { events, objects, workerRequests } = usage;
  const perMillion = (amount: number, unitPrice: number): number => (amount * unitPrice * 1e6) / events;
  const parts = {
    "rows written": perMillion(objects.rowsWritten, price.rowWritten),
    "rows read": perMillion(objects.rowsRead, price.rowRead),
    "Worker requests": perMillion(workerRequests, price.workerRequest),
    "Worker CPU": perMillion(usage.cpuMs, price.workerCpuMs),
    "object requests": perMillion(objects.requests, price.objectRequest),
    "object duration": perMillion(
      usage.seconds * partitionCount * objectGigabytes,
      price.objectGigabyteSecond,
    ),
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const each = (amount: number): number[] => [amount / events];
  return [
    { name: `${name}: price`, unit: "$/million", values: [total], ...(goal === undefined ? {} : { goal }) },
    ...Object.entries(parts).map(([part, value]) => ({
      name: `    ${part}`,
      unit: "$/million",
      values: [value],
    })),
    { name: "  rows written", unit: "rows/event", values: each(objects.rowsWritten) },
    { name: "  requests to objects", unit: "/event", values: each(objects.requests) },
    {
      name: "  produces and fetches by objects",
      unit: "/event",
      values: each(objects.produces + objects.fetches),
    },
    { name: "  events a transaction", unit: "events", values: [events / objects.transactions] },
  ];
}
