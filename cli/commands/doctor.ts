import type { Command } from "../command.ts";
import { attempt, type Finding } from "../doctor/finding.ts";
import { checkGroups } from "../doctor/groups.ts";
import { checkKey } from "../doctor/key.ts";
import { checkReach, isLogWrong } from "../doctor/reach.ts";
import { report } from "../doctor/report.ts";
import { checkSubscriptions } from "../doctor/subscriptions.ts";
import type { Gateway } from "../gateway.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Checks a deployment from outside, and says what to do",
  parameters: "",
  least: 0,
  most: 0,
  help: `Whether the gateway is reached and ready, its log answers with the topics and
the partition count that are pinned, clocks agree, what the key may do, how far
the log goes back, and what each group waits for. It changes nothing.
The exit code is 1 when something is wrong.`,
  async run({ gateway, width }) {
    const findings = await examine(gateway);
    const wrong = findings.filter(({ level }) => level === "wrong").length;
    return { text: report(findings, width), json: { findings, wrong }, hasFailed: wrong > 0 };
  },
};

/** One after the other: what is behind a thing that is broken cannot be seen. */
async function examine(gateway: Gateway): Promise<Finding[]> {
  const reach = await checkReach(gateway, () => Date.now());
  if (reach[0]?.level === "wrong") return reach;
  const { findings, mayOperate } = await checkKey(gateway);
  if (!mayOperate) return [...reach, ...findings];
  const groups = await attempt("groups", () => checkGroups(gateway, !isLogWrong(reach)));
  const subscribers = await attempt("subscribers", () => checkSubscriptions(gateway));
  return [...reach, ...findings, ...groups, ...subscribers];
}
