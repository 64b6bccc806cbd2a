import { groupsAnswer } from "../answers.ts";
import { Failure } from "../failure.ts";
import { type Gateway, refusalOf } from "../gateway.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const advice =
  "Make one: npm run api-key -- --id operator --scopes operate,read; with another one, npm run gavel -- keys create";

interface KeyFindings {
  readonly findings: Finding[];
  readonly mayOperate: boolean;
}

/** Whether the key is known, and what it may do. Nothing is written: an empty batch is refused either way. */
export async function checkKey(gateway: Gateway): Promise<KeyFindings> {
  try {
    return await examineKey(gateway);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { findings: [wrong("key", error.message, "Ask again")], mayOperate: false };
  }
}

async function examineKey(gateway: Gateway): Promise<KeyFindings> {
  const operating = await gateway.ask("GET", "/v1/groups");
  if (operating.status === 401)
    return {
      findings: [wrong("key", "The gateway does not know it", `It is not one, or is revoked. ${advice}`)],
      mayOperate: false,
    };
  if (operating.status === 403)
    return { findings: [wrong("key", "It lacks the scope operate", advice)], mayOperate: false };
  if (operating.status !== 200)
    return { findings: [wrong("key", refusalOf(operating), "See the findings above")], mayOperate: false };
  if (!groupsAnswer.safeParse(operating.body).success)
    return {
      findings: [wrong("key", "What answers is not Gavel's list of groups", "Check the address")],
      mayOperate: false,
    };
  const reading = await gateway.ask("GET", "/v1/stats/cells");
  const findings = [ok("key", reading.status === 403 ? "It has operate" : "It has operate and read")];
  const writes = await scopesToWrite(gateway);
  if (writes.length > 0)
    findings.push(
      note(
        "key",
        `It also has ${writes.join(" and ")}, which operating does not need`,
        `Keep those apart. ${advice}`,
      ),
    );
  return { findings, mayOperate: true };
}

async function scopesToWrite(gateway: Gateway): Promise<string[]> {
  const held = await Promise.all(
    [
      ["items:write", "/v1/items"],
      ["bids:write", "/v1/bids"],
    ].map(async ([scope = "", path = ""]) => {
      const { status } = await gateway.ask("POST", path, []);
      return status === 422 ? [scope] : [];
    }),
  );
  return held.flat();
}
