import { readinessAnswer } from "../answers.ts";
import { Failure } from "../failure.ts";
import { type Answer, type Gateway, refusalOf } from "../gateway.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

/** From here on signatures and trusted times are refused by whoever compares clocks. */
const mostSkewMs = 5_000;

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
  if (answer.status !== 200)
    return [wrong("gateway", refusalOf(answer), "Check the address: something else answers there")];
  return [
    ok("gateway", `${gateway.url} answers`),
    ...checkTransport(gateway.url),
    checkClock(answer.headers.get("date"), askedAt, now()),
    ...(await checkReadiness(gateway)),
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

/** A date has whole seconds: so much is between it and the time that it was made at. */
export function checkClock(date: string | null, askedAt: number, answeredAt: number): Finding {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told))
    return note("clock", "The gateway tells no date, so that clocks cannot be compared");
  const ahead = Math.max(0, told - answeredAt);
  const behind = Math.max(0, askedAt - (told + 1_000));
  const skew = Math.max(ahead, behind);
  if (skew <= mostSkewMs)
    return ok(
      "clock",
      `This machine's and the gateway's are ${skew === 0 ? "less than a second" : `about ${Math.round(skew / 1000)} s`} apart`,
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
  const { history, log, partitions } = readiness.data.checks;
  return [
    log === "ok"
      ? ok("log", "It answers, and its topics have the pinned partition count")
      : wrong("log", log, adviceForLog(log)),
    partitions === "ok"
      ? ok("partitions", "Every one of group auction moves")
      : wrong("partitions", partitions, "See what it waits for: npm run gavel -- lag auction"),
    ...(history === undefined
      ? []
      : [note("retention", history, "What was lost is lost; give the topics a longer retention.ms")]),
  ];
}

function adviceForLog(reason: string): string {
  if (/partition/i.test(reason))
    return "Set PARTITION_COUNT in wrangler.toml to what the topics have, or make them with it";
  if (/topic/i.test(reason)) return "Make the topics, or set TOPIC_PREFIX: docs/kafka.md";
  if (/refuse|credential|unauthorized/i.test(reason))
    return "Check KAFKA_USERNAME and KAFKA_PASSWORD, and the user's rights";
  return "Check KAFKA_URL in wrangler.toml, and the bridge's own /readyz";
}
