import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { runCommandLine } from "../../../cli/run.ts";
import { uuidv7 } from "../../../src/lib/uuid.ts";

/** Answers by method and path, each one after the other and the last one again; a number is a refusal. */
export type Answers = Readonly<Record<string, readonly unknown[]>>;

/** Runs a command line against a gateway that answers as it is told. */
export async function runAgainst(answers: Answers, ...args: readonly string[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/\?.*$/, "");
    const name = `${request.method} ${path}`;
    const turn = asked.filter((one) => one === name).length;
    asked.push(name);
    const told = answers[name] ?? [404];
    const answer = told[Math.min(turn, told.length - 1)];
    const refusal = { code: "partition-unavailable", detail: "Partition 3 does not answer" };
    const body = typeof answer === "number" ? refusal : answer;
    response.writeHead(typeof answer === "number" ? answer : 200, { "x-request-id": uuidv7(Date.now()) });
    request.resume().on("end", () => response.end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let [out, err] = ["", ""];
  const code = await runCommandLine([...args, "--url", url, "--key", "gvl_x_hunter2"], {
    ...{ environment: {}, width: 80, now: () => Date.now() },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  });
  server.closeAllConnections();
  server.close();
  return { code, out, err, asked };
}

export const well = {
  ...{ group: "notify", partition: 0, paused: false, parked: 0, deadLettered: 0, oldest: null },
  ...{ functionLag: 0, outbox: 0, lostOffsets: 0 },
  functions: [{ name: "shop", position: 5, next: 5, parked: 0, inFlight: 0 }],
  topics: [{ topic: "t", topicId: "one", position: 5, endOffset: 5, startOffset: 0, lag: 0, lagMs: 0 }],
};
export const silent = { group: "notify", partition: 3, stalled: "Partition 3 does not answer" };

const group = (name: string) => ({ group: name, topics: ["t"], functions: ["f"], partitions: 1 });
const checks = { log: "ok", partitions: "ok" };

/** A gateway where nothing is wrong. */
export const wellGateway = {
  "GET /healthz": [{ status: "ok" }],
  "GET /readyz": [{ status: "ready", checks }],
  "GET /v1/groups": [{ groups: [group("notify"), group("analytics")] }],
  "GET /v1/groups/notify/partitions": [{ group: "notify", partitions: [well] }],
  "GET /v1/groups/analytics/partitions": [{ group: "analytics", partitions: [well] }],
  "GET /v1/subscriptions": [{ subscriptions: [] }],
} as const satisfies Answers;
