/** The bridge as a child of `npm start`. */
import { startBridge } from "../bridge/server.ts";
import { type BridgeStart, runAsChild } from "./child-protocol.ts";
import { openLog } from "./open-log.ts";

runAsChild<BridgeStart>(
  async ({ log, topics, ...listen }) => startBridge({ ...listen, log: await openLog(log, topics) }),
  (error) => (error as NodeJS.ErrnoException).code === "EADDRINUSE",
);
