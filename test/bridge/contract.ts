import { describe } from "vitest";
import { describeFetch } from "./contract/fetch.ts";
import type { LogTraits, MakeLog } from "./contract/harness.ts";
import { describeGroupCopies } from "./contract/group-copies.ts";
import { describeGroupMembers } from "./contract/group-members.ts";
import { describeGroupRequests } from "./contract/group-requests.ts";
import { describeGroups } from "./contract/groups.ts";
import { describeOffsets } from "./contract/offsets.ts";
import { describePartialFailure } from "./contract/partial.ts";
import { describeProduce } from "./contract/produce.ts";
import { describeRequests } from "./contract/requests.ts";
import { describeStop } from "./contract/stop.ts";
import { describeWebhook } from "./contract/webhook.ts";

/** The bridge's protocol over any log: the same tests hold for each. */
export function describeContract(name: string, makeLog: MakeLog, traits: LogTraits): void {
  describe(`the bridge over ${name}`, () => {
    describeProduce(makeLog, traits);
    describePartialFailure(makeLog);
    describeFetch(makeLog);
    describeOffsets(makeLog);
    describeRequests(makeLog);
    describeGroups(makeLog);
    describeGroupMembers(makeLog);
    describeGroupCopies(makeLog);
    describeGroupRequests(makeLog);
    describeWebhook(makeLog);
    describeStop(makeLog);
  });
}
