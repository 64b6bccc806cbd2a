import type { Database } from "../database.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { BoundFunction } from "./binding.ts";
import type { Invoke } from "./function.ts";
import type { GuardedFetch } from "./http/guarded-fetch.ts";
import type { HttpEndpoint } from "./http/http-function.ts";
import type { Analyses } from "./market-analysis/client.ts";
import type { ReadProgress } from "./market-analysis/progress.ts";

/** What a function may touch outside itself. */
export interface FunctionServices {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Has sets of finished auctions analysed. */
  readonly analyses: Pick<Analyses, "request">;
  /** How far the read model is. */
  readonly readProgress: ReadProgress;
  /** The read model and the profiles. */
  readonly database: Database;
  /** A service binding of wrangler.toml, for `createBindingFunction`. @throws where there is none of the name */
  binding(name: string): BoundFunction;
  /** What calls an HTTPS endpoint with signed CloudEvents. */
  endpoint(endpoint: HttpEndpoint): Invoke;
  /** Asks others, as `createHttpProfiles` does: public hosts by HTTPS alone, and no redirect is followed. */
  readonly fetch: GuardedFetch;
}
