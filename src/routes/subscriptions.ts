import { z } from "zod";
import type { NewSecret } from "../../durable-objects/subscriptions/rpc.ts";
import { endpointAddress } from "../functions/http/endpoint-address.ts";
import { readBody } from "../ingest/body.ts";
import { issuesFromZod } from "../ingest/issues.ts";
import { parseObject } from "../ingest/parse.ts";
import { Problem, problemFromIssues } from "../lib/problem.ts";
import type { Services } from "../services.ts";
import { subscriptionBody } from "../subscriptions/answer.ts";
import { mostSubscriptions } from "../subscriptions/subscription.ts";
import { validateSubscription } from "../subscriptions/validate.ts";
import { admit, type AppContext, idsOf } from "./operation.ts";

/** Bytes of a body at most: all subscriptions together have to fit into one answer to a partition. */
const largestBody = 65_536;

const idForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `POST /v1/subscriptions`. */
export async function postSubscription(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const document = await readDocument(context, services);
  const { allowLoopbackEndpoints: allowLoopback, subscriberHosts: hosts } = services.config;
  const settings = validateSubscription(document, (url) => endpointAddress(url, { allowLoopback, hosts }));
  if (!settings.ok) throw settings.error;
  const answer = await services.subscriptions.change((object) =>
    object.create(settings.value, credential.id, idsOf(context.var.operation)),
  );
  if (answer.kind === "full") {
    throw new Problem("too-many-subscriptions", `There are ${mostSubscriptions} already; delete one first`);
  }
  return answerSecret(context, answer);
}

/** `GET /v1/subscriptions`: all of them, in the order in which they were made. */
export async function listSubscriptions(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const views = await services.subscriptions.read((object) => object.list());
  return context.json({ subscriptions: views.map(subscriptionBody) });
}

/** `GET /v1/subscriptions/{id}`. */
export async function getSubscription(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const id = readId(context);
  const view = await services.subscriptions.read((object) => object.get(id));
  return context.json(subscriptionBody(view ?? unknown()));
}

/** `DELETE /v1/subscriptions/{id}`. */
export async function deleteSubscription(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const id = readId(context);
  const removed = await services.subscriptions.change((object) =>
    object.remove(id, credential.id, idsOf(context.var.operation)),
  );
  return removed ? context.body(null, 204) : unknown();
}

/** `POST /v1/subscriptions/{id}/secrets`: a new secret, beside the one before for a day. */
export async function postSecret(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const id = readId(context);
  await requireEmptyBody(context, services);
  const answer = await services.subscriptions.change((object) =>
    object.rotate(id, credential.id, idsOf(context.var.operation)),
  );
  return answerSecret(context, answer ?? unknown());
}

/** `POST /v1/subscriptions/{id}/enable`. */
export async function postEnable(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const id = readId(context);
  await requireEmptyBody(context, services);
  const view = await services.subscriptions.change((object) =>
    object.enable(id, credential.id, idsOf(context.var.operation)),
  );
  return context.json(subscriptionBody(view ?? unknown()));
}

/** The one answer that holds the secret; no cache on its way may keep it. */
function answerSecret(context: AppContext, { subscription, secret }: NewSecret): Response {
  context.var.operation.fields.subscription = subscription.id;
  const headers = { location: `/v1/subscriptions/${subscription.id}`, "cache-control": "no-store" };
  return context.json({ ...subscriptionBody(subscription), secret }, 201, headers);
}

/** The id in the path; one that no subscription can have is one that is not known. @throws {Problem} */
function readId(context: AppContext): string {
  const id = context.req.param("id") ?? "";
  if (!idForm.test(id)) return unknown();
  context.var.operation.fields.subscription = id;
  return id;
}

async function readDocument(context: AppContext, { config }: Services): Promise<unknown> {
  const request = context.req.raw;
  const bytes = await readBody(request, config.limits, largestBody);
  return parseObject(request.headers, bytes).documents[0];
}

/** A field that is not understood is refused here as well, so that a typing error is not lost. */
async function requireEmptyBody(context: AppContext, services: Services): Promise<void> {
  const document = await readDocument(context, services);
  const result = z.strictObject({}).safeParse(document);
  if (result.success) return;
  throw problemFromIssues(issuesFromZod(result.error.issues, document, ""), "subscription");
}

function unknown(): never {
  throw new Problem("unknown-subscription", "There is no such subscription");
}
