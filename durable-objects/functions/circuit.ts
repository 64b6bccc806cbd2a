import type { FunctionSettings } from "../../src/functions/function.ts";

/** What is stored of an open circuit. */
export interface OpenCircuit {
  readonly openedAt: number;
  /** Before this nothing is called; from then on one call tries whether the endpoint is back. */
  readonly probeAt: number;
  readonly probes: number;
  readonly reason: string;
}

/**
 * Opens when whole calls fail in a row, whatever their records: then nothing is called but a probe
 * now and then, and what failed for the endpoint's sake spends no attempt of a record.
 * Source: M. Nygard, "Release It!", the circuit breaker.
 */
export class Circuit {
  private readonly settings: FunctionSettings["circuit"];
  private failures = 0;
  private isProbing = false;
  private current: OpenCircuit | undefined;

  constructor(settings: FunctionSettings["circuit"], open: OpenCircuit | undefined) {
    this.settings = settings;
    this.current = open;
  }

  get open(): OpenCircuit | undefined {
    return this.current;
  }

  /** Whether a call may start now: any while it is closed, one probe when its time has come. */
  mayCall(now: number): boolean {
    return this.current === undefined || (!this.isProbing && now >= this.current.probeAt);
  }

  /** A call starts. Answers whether it is a probe. */
  starts(): boolean {
    this.isProbing = this.current !== undefined;
    return this.isProbing;
  }

  /** The endpoint answered, whatever it said of its records. */
  succeed(): void {
    this.failures = 0;
    this.isProbing = false;
    this.current = undefined;
  }

  /** A whole call failed. @param atLeastMs the endpoint asked for so long a pause */
  fail(reason: string, now: number, atLeastMs = 0): void {
    this.failures += 1;
    if (this.current === undefined && this.failures < this.settings.failures) return;
    const probes = this.isProbing && this.current !== undefined ? this.current.probes + 1 : 0;
    // A call that began before it opened ends behind it: the probe's time stands.
    if (this.current !== undefined && !this.isProbing) return;
    const { firstProbeMs, longestProbeMs } = this.settings;
    const waitMs = Math.max(atLeastMs, Math.min(longestProbeMs, firstProbeMs * 2 ** Math.min(probes, 30)));
    this.isProbing = false;
    this.current = {
      openedAt: this.current?.openedAt ?? now,
      probeAt: now + waitMs,
      probes,
      reason,
    };
  }

  /** An operator asks for a probe at once. */
  probeNow(now: number): void {
    if (this.current !== undefined) this.current = { ...this.current, probeAt: now };
  }
}
