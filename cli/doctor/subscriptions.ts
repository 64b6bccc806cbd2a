import { subscriptionsAnswer } from "../answers.ts";
import { counted } from "../format.ts";
import type { Gateway } from "../gateway.ts";
import { type Finding, ok, wrong } from "./finding.ts";

/** Whether subscribers are called at all. */
export async function checkSubscriptions(gateway: Gateway): Promise<Finding[]> {
  const { subscriptions } = await gateway.request(subscriptionsAnswer, "GET", "/v1/subscriptions");
  const disabled = subscriptions.filter(({ status }) => status === "disabled");
  if (disabled.length === 0)
    return [ok("subscribers", `${counted(subscriptions.length, "subscription")}, none disabled`)];
  return disabled.map(({ disabledReason = "disabled", id, url }) =>
    wrong(
      "subscribers",
      `${URL.parse(url)?.host ?? id} is not called: ${disabledReason}`,
      `When it is well: npm run gavel -- subscriptions enable ${id}`,
    ),
  );
}
