import { handedOver } from "../../src/endpoint-caller.ts";
import { type BoundFunction, createBindingFunction } from "../../src/functions/binding.ts";
import { type DeclaredFunction, declareFunction } from "../../src/functions/declare.ts";
import type { Invoke } from "../../src/functions/function.ts";
import type { FunctionGroup } from "../../src/topology.ts";
import type { TopicRole } from "../../src/topics.ts";
import type { StartTimes } from "./start-times.ts";

/** What the measured functions have beside what every function has. */
export interface MeasuredSurroundings {
  /** Of the group, with its number. */
  readonly name: string;
  readonly onInvocation: () => void;
  /** Of the Worker, as its context has them. */
  readonly exports: unknown;
  readonly binding: BoundFunction;
  /** Of the receiver's process. */
  readonly receiverUrl: string;
  readonly startTimes: StartTimes;
}

export const noOp: Invoke = ({ records }) =>
  Promise.resolve({ outcomes: records.map(() => ({ status: "done" })) });

/** Of Standard Webhooks' form; the receiver does not look at signatures, which are made all the same. */
const secret = `whsec_${btoa("only-for-benchmarks-32-characters")}`;

/** Calls at a time of one partition that subscribers have. */
const concurrency = 32;

/** The function of each group that is measured, by the group's name. */
const functions = {
  inprocess: () => declareFunction({ from: "earliest", create: () => noOp }),
  bound: ({ binding }) => declareFunction({ from: "earliest", create: () => createBindingFunction(binding) }),
  keyed: (around) => overHttp(around, "/slow", { order: "key", concurrency }),
  ordered: (around) => overHttp(around, "/slow", { order: "partition", concurrency }),
  stateful: (around) => overHttp(around, "/state", { order: "key", concurrency }),
  batched: (around) => overHttp(around, "/state", { order: "key", batch: { count: 100, mixesKeys: true } }),
  direct: recorded,
  notified: recorded,
} satisfies Record<string, (around: MeasuredSurroundings) => DeclaredFunction>;

export type MeasuredGroup = keyof typeof functions;

export function isMeasuredGroup(name: string): name is MeasuredGroup {
  return Object.hasOwn(functions, name);
}

export function groupOf(name: MeasuredGroup, around: MeasuredSurroundings): FunctionGroup {
  const topic: TopicRole = name === "notified" ? "notifications" : "journal";
  const { create, ...settings } = functions[name](around);
  const measured = (...services: Parameters<typeof create>): Invoke => {
    const invoke = create(...services);
    return (invocation) => {
      around.onInvocation();
      return invoke(invocation);
    };
  };
  return { topic, writer: "auction", functions: { measured: { ...settings, create: measured } } };
}

/** One record a call, unless said otherwise. */
function overHttp(
  { exports, name, receiverUrl }: MeasuredSurroundings,
  path: string,
  settings: Partial<Pick<DeclaredFunction, "order" | "concurrency">> & {
    readonly batch?: Partial<DeclaredFunction["batch"]>;
  },
): DeclaredFunction {
  const endpoint = {
    url: `${receiverUrl}${path}/${name}`,
    mode: "binary",
    secrets: [secret],
    allowLoopback: true,
  } as const;
  const batch = { count: 1, mixesKeys: false };
  const create = (): Invoke => handedOver(exports, endpoint);
  return declareFunction({ batch, ...settings, from: "earliest", create });
}

function recorded({ startTimes }: MeasuredSurroundings): DeclaredFunction {
  const create = (): Invoke => (invocation) => {
    startTimes.note(invocation.records);
    return noOp(invocation);
  };
  return declareFunction({ from: "earliest", create });
}
