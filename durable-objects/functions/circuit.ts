import type { CallFailure, FunctionSettings } from "../../src/functions/function.ts";

/** What is stored of an open circuit. */
export interface OpenCircuit {
  readonly openedAt: number;
  /** Before this nothing is called; from then on one call tries whether the endpoint is back. */
  readonly probeAt: number;
  readonly probes: number;
  readonly reason: string;
}

/** A call that failed as a whole. */
export interface FailedCall extends CallFailure {
  /** What it carried. */
  readonly offsets: readonly number[];
  readonly isProbe: boolean;
}

/**
 * Opens when whole calls fail in a row and no single record can be to blame: each says so by itself, or
 * none was in all of them. Then nothing is called but a probe now and then, and what failed for the
 * endpoint's sake spends no attempt of a record. While one record was in each of them, it may be that
 * record, and is tried again and ends as any record that fails.
 * Source: M. Nygard, "Release It!", the circuit breaker.
 */
export class Circuit {
  private readonly settings: FunctionSettings["circuit"];
  /** Since the last answer: failures that any record would have met, and others. */
  private general = 0;
  private unclear = 0;
  /** Offsets that were in every one of the others. */
  private suspects: readonly number[] = [];
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
    this.forgive();
    this.isProbing = false;
    this.current = undefined;
  }

  private forgive(): void {
    this.general = 0;
    this.unclear = 0;
    this.suspects = [];
  }

  /** A record has ended by its failures. Where it was the one to blame, nothing is held against the endpoint. */
  ended(offset: number): void {
    if (this.suspects.includes(offset)) this.forgive();
  }

  private note({ isGeneral = false, offsets }: FailedCall): void {
    if (isGeneral) {
      this.general += 1;
      return;
    }
    this.suspects = this.unclear === 0 ? offsets : this.suspects.filter((one) => offsets.includes(one));
    this.unclear += 1;
  }

  private get isToBlame(): boolean {
    const { failures } = this.settings;
    if (this.general >= failures) return true;
    return this.general + this.unclear >= failures && this.unclear > 0 && this.suspects.length === 0;
  }

  fail(call: FailedCall, now: number): void {
    this.note(call);
    const { isProbe, delayMs = 0, reason } = call;
    const { firstProbeMs, longestProbeMs } = this.settings;
    if (this.current === undefined && !this.isToBlame) return;
    // A call that began before it opened ends behind it: the probe's time stands.
    if (this.current !== undefined && !isProbe) return;
    const probes = this.current === undefined ? 0 : this.current.probes + 1;
    const waitMs = Math.max(delayMs, Math.min(longestProbeMs, firstProbeMs * 2 ** Math.min(probes, 30)));
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
