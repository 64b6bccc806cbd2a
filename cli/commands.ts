import type { Command } from "./command.ts";
import { deadLetters } from "./commands/dead-letters.ts";
import { doctor } from "./commands/doctor.ts";
import { groups } from "./commands/groups.ts";
import { keys } from "./commands/keys.ts";
import { lag } from "./commands/lag.ts";
import { lineage } from "./commands/lineage.ts";
import { parked } from "./commands/parked.ts";
import { retry, skip } from "./commands/parked-key.ts";
import { pause, resume } from "./commands/pause.ts";
import { redrive } from "./commands/redrive.ts";
import { seek } from "./commands/seek.ts";
import { subscriptions } from "./commands/subscriptions.ts";

/** In the order in which they are listed. */
export const commands: readonly Command[] = [
  groups,
  lag,
  parked,
  retry,
  skip,
  deadLetters,
  redrive,
  pause,
  resume,
  seek,
  subscriptions,
  keys,
  lineage,
  doctor,
];
