import { z } from "zod";
import { readinessAnswer } from "../answers.ts";
import { Failure } from "../failure.ts";
import { type Answer, type Gateway, refusalOf } from "../gateway.ts";
import { attempt, type Finding, note, ok, wrong } from "./finding.ts";

/** From here on signatures and trusted times are refused by whoever compares clocks. */
const mostSkewMs = 5_000;

const healthAnswer = z.looseObject({ status: z.literal("ok") });

/** Whether the gateway is there, tells the time, and is ready. */
export async function checkReach(gateway: Gateway, now: () => number): Promise<Finding[]> {
  let answer: Answer;
  const askedAt = now();
  try {
    answer = await gateway.ask("GET", "/healthz");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [wrong("gateway", error.message, "Check the address, and whether it is deployed: npm run deploy")];
  }
  const answeredAt = now();
  if (answer.status !== 200 || !healthAnswer.safeParse(answer.body).success)
    return [wrong("gateway", refusalOf(answer), "Check the address: something else answers there")];
  return [
    ok("gateway", `${gateway.url} answers`),
    ...checkTransport(gateway.url),
    checkClock(answer.headers.get("x-request-id"), askedAt, answeredAt),
    ...(await attempt("ready", () => checkReadiness(gateway))),
  ];
}

function checkTransport(url: string): Finding[] {
  const { hostname, protocol } = new URL(url);
  const isHere = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (protocol === "https:" || isHere) return [];
  return [
    wrong("gateway", "It is called without TLS, so that the key can be read on its way", "Use https://"),
  ];
}

/** Every answer's id is a UUID version 7, which begins with the gateway's milliseconds. */
export function checkClock(requestId: string | null, askedAt: number, answeredAt: number): Finding {
  const digits = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/.exec(requestId ?? "");
  if (digits === null)
    return note("clock", "The answer has no X-Request-Id of Gavel's, so that clocks cannot be compared");
  const told = Number.parseInt(`${digits[1]}${digits[2]}`, 16);
  const ahead = Math.max(0, told - answeredAt);
  const skew = Math.max(ahead, askedAt - told);
  if (skew <= mostSkewMs)
    return ok(
      "clock",
      skew <= 0
        ? `This machine's and the gateway's agree within ${answeredAt - askedAt} ms`
        : `This machine's and the gateway's are about ${skew} ms apart`,
    );
  return wrong(
    "clock",
    `This machine's clock is ${Math.round(skew / 1000)} s ${ahead > 0 ? "behind" : "ahead of"} the gateway's`,
    "Set it by NTP: times that it sets, and receivers that compare theirs, are refused beyond 5 s",
  );
}

async function checkReadiness(gateway: Gateway): Promise<Finding[]> {
  const answer = await gateway.ask("GET", "/readyz");
  const readiness = readinessAnswer.safeParse(answer.body);
  if (!readiness.success)
    return [wrong("ready", refusalOf(answer), "Look at the Worker's log: npx wrangler tail")];
  const { history, log, partitions, topics } = readiness.data.checks;
  return [
    ...checkLog(log, topics),
    // What a log that is wrong holds up follows from it.
    ...(log === "ok" ? [checkAuction(partitions)] : []),
    ...(history === undefined
      ? []
      : [note("retention", history, "What was lost is lost; give the topics a longer retention.ms")]),
  ];
}

function checkLog(log: string, topics: string | undefined): Finding[] {
  if (log !== "ok") return [wrong("log", log, adviceForLog(log))];
  if (topics !== undefined) return [wrong("log", topics, adviceForLog(topics))];
  return [ok("log", "It answers, and its topics have the pinned partition count")];
}

function checkAuction(partitions: string): Finding {
  return partitions === "ok"
    ? ok("partitions", "Every one of group auction moves")
    : wrong("partitions", partitions, "See what it waits for: npm run gavel -- lag auction");
}

/** Whether what the groups tell would only be what the log was told to be. */
export function isLogWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ about, level }) => about === "log" && level === "wrong");
}

function adviceForLog(reason: string): string {
  if (/partition/i.test(reason))
    return "Set PARTITION_COUNT in wrangler.toml to what the topics have, or make them with it";
  if (/topic/i.test(reason)) return "Make the topics, or set TOPIC_PREFIX: docs/kafka.md";
  if (/refuse|credential|unauthorized/i.test(reason))
    return "Check KAFKA_USERNAME and KAFKA_PASSWORD, and the user's rights";
  return "Check KAFKA_URL in wrangler.toml, and the bridge's own /readyz";
}
