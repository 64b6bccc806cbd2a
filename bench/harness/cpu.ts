import { readdirSync, readFileSync } from "node:fs";
import type { RunningProcess } from "./system.ts";

/** Milliseconds of CPU, user and system, that each part has used since it started. */
export interface CpuTimes {
  readonly client: number;
  readonly bridge: number;
  /** The Node process around the runtime: log lines and the sweep pass it. */
  readonly gateway: number;
  readonly workerd: number;
}

const millisecondsPerTick = 10;

/** Linux only: reads `/proc`; elsewhere every part is NaN. */
export function cpuTimes(bridge: RunningProcess, gateway: RunningProcess): CpuTimes {
  let workerd = 0;
  for (const { pid, parent, cpu } of processes()) if (parent === gateway.pid && pid > 0) workerd += cpu;
  return { client: cpuOf(process.pid), bridge: cpuOf(bridge.pid), gateway: cpuOf(gateway.pid), workerd };
}

/** `after - before`, over a number of events: microseconds of CPU per event of each part. */
export function cpuPerEvent(before: CpuTimes, after: CpuTimes, events: number): CpuTimes {
  const per = (part: keyof CpuTimes): number => ((after[part] - before[part]) * 1000) / events;
  return { client: per("client"), bridge: per("bridge"), gateway: per("gateway"), workerd: per("workerd") };
}

function* processes(): Generator<{ pid: number; parent: number; cpu: number }> {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return;
  }
  for (const name of names) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat !== undefined) yield { pid: Number(name), ...stat };
  }
}

/** Milliseconds that one process has used since it started; NaN where that cannot be read. */
export function cpuOf(pid: number): number {
  return statOf(pid)?.cpu ?? Number.NaN;
}

/** Source: proc_pid_stat(5); the name, in parentheses, may itself hold spaces and parentheses. */
function statOf(pid: number): { parent: number; cpu: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, parent] = fields;
    const [user, system] = fields.slice(11, 13);
    return { parent: Number(parent), cpu: (Number(user) + Number(system)) * millisecondsPerTick };
  } catch {
    return undefined;
  }
}
