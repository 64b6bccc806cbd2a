/** The bridge as a child of `npm start`. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { startBridge } from "../bridge/server.ts";
import { SqliteLog } from "../bridge/sqlite/sqlite-log.ts";
import { type BridgeStart, runAsChild } from "./child-protocol.ts";

runAsChild<BridgeStart>(
  async ({ file, topics, ...listen }) => {
    mkdirSync(dirname(file), { recursive: true });
    const log = new SqliteLog({ file, topics });
    return startBridge({ ...listen, log });
  },
  (error) => (error as NodeJS.ErrnoException).code === "EADDRINUSE",
);
