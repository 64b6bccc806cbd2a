import type { SubscriberPatience } from "../../src/config.ts";
import { defaultSettings } from "../../src/functions/declare.ts";
import { matches } from "../../src/functions/filter.ts";
import type { FunctionSettings, Invoke } from "../../src/functions/function.ts";
import type { AddressRules } from "../../src/functions/http/endpoint-address.ts";
import type { HttpEndpoint } from "../../src/functions/http/http-function.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { SubscriptionWithSecrets } from "../../src/subscriptions/subscription.ts";
import type { SubscriptionsRpc } from "../subscriptions/rpc.ts";
import type { DrivenFunction, FunctionSource } from "./driven.ts";

export interface SubscriptionSourceHost {
  readonly clock: Clock;
  /** Which addresses are called: looked at before each call. */
  readonly addresses: AddressRules;
  readonly patience: SubscriberPatience;
  /** The one object that keeps the subscriptions. */
  subscriptions(): Pick<SubscriptionsRpc, "changesSince" | "disable">;
  /** What calls an endpoint. */
  invokeOf(endpoint: HttpEndpoint): Invoke;
}

const DAY_MS = 86_400_000;
/** An endpoint that has failed for everything for so long is given up. */
const disableAfterMs = 3 * DAY_MS;

/** How a subscriber is driven: patiently, one request a record unless it asks for more. */
function settingsFor({ concurrency, timeoutMs, ...retry }: SubscriberPatience): FunctionSettings {
  return {
    ...defaultSettings,
    concurrency,
    timeoutMs,
    retry: { ...retry, maximumAgeMs: 3 * DAY_MS },
    circuit: { failures: 5, firstProbeMs: 1_000, longestProbeMs: 5 * 60_000 },
  };
}

/** A function for every subscription; each is called under its subscription's id. */
export class SubscriptionSource implements FunctionSource {
  private readonly host: SubscriptionSourceHost;
  private version: number | null = null;
  private known: readonly DrivenFunction[] = [];

  constructor(host: SubscriptionSourceHost) {
    this.host = host;
  }

  async functions(): Promise<readonly DrivenFunction[]> {
    const changes = await this.host.subscriptions().changesSince(this.version);
    // Of two answers under way the older one may come last.
    if (changes === "unchanged" || changes.version < (this.version ?? 0)) return this.known;
    this.known = changes.subscriptions.map((subscription) => this.functionOf(subscription));
    this.version = changes.version;
    return this.known;
  }

  private functionOf(subscription: SubscriptionWithSecrets): DrivenFunction {
    const { batch, createdAt, filter, from, id, order, status } = subscription;
    const settings = settingsFor(this.host.patience);
    return {
      name: id,
      settings: {
        ...settings,
        order,
        batch: { ...settings.batch, count: batch.count, mixesKeys: batch.count > 1 },
      },
      // What comes after it was made, also where the partition hears of it later.
      from: from === "latest" ? createdAt : from,
      invoke: this.invokeOf(subscription),
      selects: ({ event }) => filter === undefined || matches(filter, event),
      ...(status === "disabled" ? { disabled: subscription.disabledReason ?? "disabled" } : {}),
      enabledAt: subscription.enabledAt ?? createdAt,
      disableAfterMs,
      disable: (reason, at) => this.host.subscriptions().disable(id, reason, at),
    };
  }

  /**
   * Signs each call with the secrets that are valid then: a secret that expires is no new version.
   * What calls the endpoint is made once for as many secrets as there are: they only ever end.
   */
  private invokeOf({ mode, secrets, url }: SubscriptionWithSecrets): Invoke {
    const { addresses, clock } = this.host;
    let made: { readonly secretCount: number; readonly invoke: Invoke } | undefined;
    return (invocation) => {
      const now = clock.now();
      const valid = secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
      if (made?.secretCount !== valid.length) {
        const endpoint = { ...addresses, url, mode, secrets: valid.map(({ secret }) => secret) };
        made = { secretCount: valid.length, invoke: this.host.invokeOf(endpoint) };
      }
      return made.invoke(invocation);
    };
  }
}
