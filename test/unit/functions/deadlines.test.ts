import { describe, expect, test } from "vitest";
import { Deadlines } from "../../../durable-objects/functions/deadlines.ts";
import type { Clock } from "../../../src/lib/clock.ts";

/** A clock that the test moves, and that knows which timers are running. */
class HandClock implements Clock {
  readonly running = new Set<{ readonly at: number; readonly ring: () => void }>();
  started = 0;
  private time = 1_000;

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.started += 1;
    return new Promise((resolve) => {
      const timer = { at: this.time + milliseconds, ring: resolve };
      this.running.add(timer);
      signal?.addEventListener("abort", () => {
        this.running.delete(timer);
        resolve();
      });
    });
  }

  async moveTo(time: number): Promise<void> {
    this.time = time;
    for (const timer of this.running) {
      if (timer.at > time) continue;
      this.running.delete(timer);
      timer.ring();
    }
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

describe("deadlines of calls", () => {
  test("come when their time has come, each once, and by one timer", async () => {
    const clock = new HandClock();
    const deadlines = new Deadlines(clock);
    const came: string[] = [];
    deadlines.set(1_300, () => came.push("later"));
    deadlines.set(1_100, () => came.push("sooner"));
    deadlines.set(1_100, () => came.push("as soon"));
    expect(clock.running.size).toBe(1);
    await clock.moveTo(1_099);
    expect(came).toEqual([]);
    await clock.moveTo(1_150);
    expect(came).toEqual(["sooner", "as soon"]);
    await clock.moveTo(2_000);
    expect(came).toEqual(["sooner", "as soon", "later"]);
    expect(clock.running.size).toBe(0);
  });

  test("that are taken back never come, and leave no timer when they were the last", async () => {
    const clock = new HandClock();
    const deadlines = new Deadlines(clock);
    const came: string[] = [];
    const takeBack = [1_200, 1_300].map((at) => deadlines.set(at, () => came.push(String(at))));
    takeBack[0]?.();
    await clock.moveTo(1_250);
    expect(came).toEqual([]);
    expect(clock.running.size).toBe(1);
    takeBack[1]?.();
    expect(clock.running.size).toBe(0);
    await clock.moveTo(5_000);
    expect(came).toEqual([]);
  });

  test("of a thousand calls that overlap cost a timer or two", () => {
    const clock = new HandClock();
    const deadlines = new Deadlines(clock);
    let takeBack = deadlines.set(11_000, () => undefined);
    for (let call = 0; call < 1_000; call += 1) {
      const next = deadlines.set(11_000 + call, () => undefined);
      takeBack();
      takeBack = next;
    }
    expect(clock.started).toBeLessThanOrEqual(2);
  });

  test("that were there come in time when one that comes sets another further away", async () => {
    const clock = new HandClock();
    const deadlines = new Deadlines(clock);
    const came: number[] = [];
    deadlines.set(1_100, () => deadlines.set(9_000, () => came.push(9_000)));
    deadlines.set(1_200, () => came.push(1_200));
    await clock.moveTo(1_100);
    await clock.moveTo(1_200);
    expect(came).toEqual([1_200]);
  });

  test("may be set anew while they come", async () => {
    const clock = new HandClock();
    const deadlines = new Deadlines(clock);
    const came: number[] = [];
    deadlines.set(1_100, () => {
      came.push(clock.now());
      deadlines.set(1_200, () => came.push(clock.now()));
    });
    await clock.moveTo(1_100);
    await clock.moveTo(1_200);
    expect(came).toEqual([1_100, 1_200]);
  });
});
