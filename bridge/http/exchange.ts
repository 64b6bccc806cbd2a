import type { IncomingMessage } from "node:http";
import type { Limits } from "../limits.ts";
import type { EventLog } from "../log.ts";
import type { Rights } from "./rights.ts";

/** One authenticated request and what answering it needs. */
export interface Exchange {
  readonly log: EventLog;
  readonly limits: Limits;
  readonly request: IncomingMessage;
  readonly rights: Rights;
  /** Counts bytes of the body as in work until the answer is taken. @throws {HttpError} 503 beyond the bound */
  readonly receive: (bytes: number) => void;
  /** The same for bytes of an answer, of what had no effect. @throws {HttpError} 503 beyond the bound */
  readonly reserve: (bytes: number) => void;
  /** A signal that aborts when the client is gone or the bridge stops. */
  readonly waitSignal: () => AbortSignal;
}
