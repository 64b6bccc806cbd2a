import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchmarkOptions } from "./figures.ts";
import type { RunningWorker } from "./system.ts";

/** A CPU profile of one Worker and its objects, which share an isolate. */
export interface Profile {
  /** Writes `{name}.cpuprofile`, for the developer tools of a browser. */
  stop(): Promise<void>;
}

const samplingMicroseconds = 500;

/** Starts a profile where the options ask for one; else one that takes nothing. */
export async function profileOf(
  worker: RunningWorker,
  { profiles }: BenchmarkOptions,
  name: string,
): Promise<Profile> {
  if (profiles === undefined || worker.inspectorPort === undefined) return { stop: () => Promise.resolve() };
  const inspector = await Inspector.open(worker.inspectorPort);
  await inspector.call("Profiler.enable");
  await inspector.call("Profiler.setSamplingInterval", { interval: samplingMicroseconds });
  await inspector.call("Profiler.start");
  return {
    async stop() {
      const { profile } = (await inspector.call("Profiler.stop")) as { profile: CpuProfile };
      writeFileSync(join(profiles, `${name}.cpuprofile`), JSON.stringify(profile));
      console.log(summary(profile));
      inspector.close();
    },
  };
}

/** The Chrome DevTools Protocol, as far as a profile needs it. */
class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id === undefined) return;
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  static async open(port: number): Promise<Inspector> {
    const list = await fetch(`http://127.0.0.1:${port}/json`);
    const targets = (await list.json()) as { title: string; webSocketDebuggerUrl: string }[];
    const target = targets.find(({ title }) => title.endsWith("core:user:gavel"));
    if (target === undefined)
      throw new Error(`no Worker to profile among ${targets.map(({ title }) => title).join()}`);
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    return new Inspector(socket);
  }

  call(method: string, params: object = {}): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  close(): void {
    this.#socket.close();
  }
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const shownFunctions = 40;
/** As `nameOf` has it: no function of any file. */
const idle = "(idle) :0";

/** The summary of a profile that a process of Node's wrote when it ended. */
export function summaryOfFile(file: string): string {
  return summary(JSON.parse(readFileSync(file, "utf8")) as CpuProfile);
}

/** The functions with the most time of their own, and with what they call; idle time does not count. */
function summary({ nodes, samples, timeDeltas }: CpuProfile): string {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const own = new Map<string, number>();
  const inclusive = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const time = names.get(id) === idle ? 0 : (timeDeltas[index] ?? 0);
    total += time;
    add(own, names.get(id) ?? "", time);
    const stack = new Set<string>();
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node))
      stack.add(names.get(node) ?? "");
    for (const name of stack) add(inclusive, name, time);
  }
  return `own time\n${highest(own, total)}\nwith what is called\n${highest(inclusive, total)}`;
}

function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  return `${functionName === "" ? "(anonymous)" : functionName} ${url.split("/").at(-1) ?? ""}:${lineNumber + 1}`;
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}

function highest(times: ReadonlyMap<string, number>, total: number): string {
  return [...times]
    .sort((left, right) => right[1] - left[1])
    .slice(0, shownFunctions)
    .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`)
    .join("\n");
}
