/**
 * The peer's handler: a virtual object `Auction`, keyed by item, which keeps the highest amount and the
 * count in its durable state. Notes when each call begins, and what comes out of order. Runs where the
 * benchmark has installed its packages, and speaks with it by IPC, as Gavel's receiver does.
 */
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";

interface State {
  readonly highest: number;
  readonly count: number;
}

interface Context {
  readonly key: string;
  get(name: string): Promise<State | null>;
  set(name: string, state: State): void;
}

interface Bid {
  readonly data: { readonly amount: number; readonly seq: number };
}

/** What is used of the SDK, which is not among this repository's packages. */
interface Sdk {
  object(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, (context: Context, event: Bid) => Promise<void>>>;
  }): object;
  createEndpointHandler(options: {
    readonly services: readonly object[];
  }): (request: Http2ServerRequest, response: Http2ServerResponse) => void;
}

const sdkName: string = "@restatedev/restate-sdk";
const restate = (await import(sdkName)) as Sdk;

const none = () => ({ ids: [] as string[], times: [] as number[], violations: [] as string[] });
let arrivals = none();
let last = new Map<string, number>();

function note(key: string, sequence: number): void {
  arrivals.ids.push(String(sequence));
  arrivals.times.push(performance.timeOrigin + performance.now());
  const before = last.get(key) ?? -1;
  if (sequence <= before) arrivals.violations.push(`${key} has ${sequence} after ${before}`);
  last.set(key, sequence);
}

const auction = restate.object({
  name: "Auction",
  handlers: {
    bid: async (context, { data: { amount, seq } }) => {
      note(context.key, seq);
      const state = (await context.get("state")) ?? { highest: 0, count: 0 };
      context.set("state", { highest: Math.max(state.highest, amount), count: state.count + 1 });
    },
  },
});

const server = createServer(restate.createEndpointHandler({ services: [auction] }));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object")
    process.send?.({ kind: "ready", url: `http://127.0.0.1:${address?.port}` });
});
process.on("message", (message) => {
  if (message === "again") last = new Map();
  else {
    process.send?.(arrivals);
    arrivals = none();
  }
});
process.once("SIGTERM", () => process.exit(0));
process.once("disconnect", () => process.exit(0));
