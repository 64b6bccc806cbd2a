import type { Setting } from "../kafka/setting.ts";
import type { Receiver } from "./receiver.ts";
import type { Restate } from "./restate-server.ts";

/** Who is measured beside whom, and where. */
export interface Contest {
  readonly setting: Setting;
  readonly receiver: Receiver;
  /** Undefined where it could not be started. */
  readonly peer: Restate | undefined;
}
