import { describe } from "vitest";
import { describeFetch } from "./contract/fetch.ts";
import type { LogTraits, MakeLog } from "./contract/harness.ts";
import { describeOffsets } from "./contract/offsets.ts";
import { describePartialFailure } from "./contract/partial.ts";
import { describeProduce } from "./contract/produce.ts";
import { describeRequests } from "./contract/requests.ts";
import { describeStop } from "./contract/stop.ts";

/** The bridge's protocol over any log: the same tests hold for each. */
export function describeContract(name: string, makeLog: MakeLog, traits: LogTraits): void {
  describe(`the bridge over ${name}`, () => {
    describeProduce(makeLog, traits);
    describePartialFailure(makeLog);
    describeFetch(makeLog);
    describeOffsets(makeLog);
    describeRequests(makeLog);
    describeStop(makeLog);
  });
}
