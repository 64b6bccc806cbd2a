import type { Env } from "../../src/env.ts";
import { isAcceptable, jsonAnswers } from "../../src/http/acceptable.ts";
import { secure } from "../../src/http/security-headers.ts";
import { authenticate, type Credential } from "../../src/ingest/authenticate.ts";
import { readBody } from "../../src/ingest/body.ts";
import { draftFromPlain } from "../../src/ingest/draft.ts";
import { describeEdge } from "../../src/ingest/enrich.ts";
import { locateClient } from "../../src/ingest/location.ts";
import { parsePlain } from "../../src/ingest/parse.ts";
import { recordMaker } from "../../src/ingest/records.ts";
import { validateEvent } from "../../src/ingest/validate.ts";
import { newTrace, parseTraceContext } from "../../src/lib/trace-context.ts";
import { type Services, servicesFor } from "../../src/services.ts";
import { eventTypes } from "../../src/topics.ts";
import { bidBody, bidHeaders } from "../harness/events.ts";
import { countless } from "./unlimited.ts";

/** What one bid's request brings, and what the layers before have made of it. */
interface Bid {
  readonly services: Services;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly credential: Credential;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** As `request.cf` has it where the platform knows a city. */
const connection = {
  country: "DE",
  region: "Hamburg",
  city: "Hamburg",
  continent: "EU",
  timezone: "Europe/Berlin",
  asn: 3320,
  colo: "HAM",
  latitude: "53.55073",
  longitude: "9.99302",
};
const receivedAt = Date.UTC(2026, 0, 1);

/** What a layer does for one bid; made once, done often. */
type Layer = (bid: Bid) => () => unknown;

const layers: Readonly<Record<string, Layer>> = {
  "an empty loop": () => () => undefined,
  authentication: ({ services, headers, waitUntil }) => {
    const request = { countUnknown: () => services.rateLimits.countUnknown(headers), waitUntil };
    return () => authenticate(headers.get("authorization"), services.credentials, request);
  },
  "rate limits, their counters aside":
    ({ services, headers, credential }) =>
    () =>
      services.rateLimits.count(credential, headers),
  "reading the body": ({ services, headers, bytes }) => {
    // A request of its own each time: a body is read once. What making it costs is in the figure.
    const make = () => new Request("http://gavel/v1/bids", { method: "POST", headers, body: bytes });
    return () => readBody(make(), services.config.limits);
  },
  parsing:
    ({ headers, bytes }) =>
    () =>
      parsePlain(headers, bytes),
  validation: (bid) => {
    const draft = draftOf(bid);
    return () => validateEvent(draft, bid.credential, receivedAt);
  },
  enrichment:
    ({ services, headers, credential, waitUntil }) =>
    async () => {
      const arrival = { headers, connection, inBackground: waitUntil };
      const place = await locateClient(services.countries, credential, arrival);
      return describeEdge(place, credential, receivedAt);
    },
  trace:
    ({ headers }) =>
    () =>
      parseTraceContext(headers.get("traceparent"), headers.get("tracestate")),
  "the record": (bid) => {
    const valid = validateEvent(draftOf(bid), bid.credential, receivedAt);
    if (!valid.ok) throw valid.error;
    const edge = describeEdge(connection, bid.credential, receivedAt);
    const { topicPrefix, partitionCount } = bid.services.config;
    const trace = newTrace();
    return () => recordMaker({ edge, trace, topicPrefix, partitionCount })(valid.value);
  },
  "negotiation and security headers":
    ({ headers }) =>
    () => {
      const answer = new Headers();
      secure(answer);
      return isAcceptable(headers.get("accept") ?? undefined, jsonAnswers) ? answer : undefined;
    },
  figures:
    ({ services: { meters } }) =>
    () => {
      meters.metrics.request({ route: "/v1/bids", method: "POST", status: 202 });
      meters.metrics.events(1, []);
      meters.metrics.produced(0.004);
      meters.metrics.take();
    },
};

function draftOf({ headers, bytes }: Bid) {
  const [data] = parsePlain(headers, bytes).documents;
  return draftFromPlain(data, {
    type: eventTypes.bidPlaced,
    source: "/credentials/backend",
    now: receivedAt,
  });
}

const environments = new WeakMap<object, Env>();

/** `POST /bench/layer?name&times` runs a layer so often; who asks measures what that took of the CPU. */
export default {
  async fetch(request, env, context) {
    const { searchParams } = new URL(request.url);
    const make = layers[searchParams.get("name") ?? ""];
    if (make === undefined) return Response.json(Object.keys(layers));
    const limited = environments.get(env) ?? { ...env, ...countless };
    environments.set(env, limited);
    const services = servicesFor(limited);
    const headers = new Headers(bidHeaders(request.headers.get("authorization") ?? ""));
    const waitUntil = (work: Promise<unknown>): void => context.waitUntil(work);
    const credential = await authenticate(headers.get("authorization"), services.credentials, {
      countUnknown: () => Promise.resolve(),
      waitUntil,
    });
    const bytes = new TextEncoder().encode(bidBody("item-1", 1, 100));
    const layer = make({ services, headers, bytes, credential, waitUntil });
    let kept: unknown;
    for (let left = Number(searchParams.get("times")); left > 0; left -= 1) {
      const made = layer();
      kept = made instanceof Promise ? await made : made;
    }
    // Used, so that no compiler leaves the work out.
    return Response.json({ kept: typeof kept });
  },
  scheduled: () => undefined,
} satisfies ExportedHandler<Env>;
