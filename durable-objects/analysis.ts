import { DurableObject } from "cloudflare:workers";
import { configFromEnv } from "../src/config.ts";
import { createDatabase } from "../src/database.ts";
import { parseAnalysisId } from "../src/functions/market-analysis/sets.ts";
import { systemClock } from "../src/lib/clock.ts";
import { createConsoleLogger } from "../src/lib/log.ts";
import { AnalysisCore, analysisSettings } from "./analysis/core.ts";
import type { AnalysisRpc, RunStatus } from "./analysis/rpc.ts";
import { platformStorage } from "./storage/platform.ts";

interface Bindings {
  readonly DATABASE: D1Database;
}

/** The Durable Object of one analysis, named by its id. Wires the platform to `AnalysisCore`. */
export class Analysis extends DurableObject<Bindings> implements AnalysisRpc {
  private readonly core: AnalysisCore;

  constructor(context: DurableObjectState, env: Bindings) {
    super(context, env);
    const set = parseAnalysisId(context.id.name ?? "");
    if (set === null) throw new Error("the object's name is no analysis's id");
    this.core = new AnalysisCore({
      set,
      storage: platformStorage(context.storage),
      database: createDatabase(env.DATABASE, systemClock),
      clock: systemClock,
      logger: createConsoleLogger(configFromEnv(env).logLevel),
      settings: analysisSettings,
    });
    void context.blockConcurrencyWhile(() => this.core.start());
  }

  request(): Promise<void> {
    return this.core.request();
  }

  runStatus(): Promise<RunStatus> {
    return this.core.runStatus();
  }

  override alarm(): Promise<void> {
    return this.core.alarm();
  }
}
