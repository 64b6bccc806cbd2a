import { keyIdPattern, makeKey } from "../credentials/api-key.ts";
import { addKey, getKey, listKeys, revokeKey } from "../credentials/key-store.ts";
import { readKeyRequest } from "../credentials/validate.ts";
import { readBody } from "../ingest/body.ts";
import { parseObject } from "../ingest/parse.ts";
import { Problem } from "../lib/problem.ts";
import { randomHex } from "../lib/random.ts";
import { sha256 } from "../lib/sha256.ts";
import { formatTimestamp } from "../lib/time.ts";
import type { Services } from "../services.ts";
import { audited } from "./audit.ts";
import { admit, type AppContext } from "./operation.ts";
import { keyParameters, readParameters } from "./parameters.ts";

const mostBodyBytes = 4_096;
/** Of an id that the gateway chooses. */
const chosenIdBytes = 8;

/** `POST /v1/keys`: the one answer that holds the key; no cache on its way may keep it. */
export async function postKey(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const request = context.req.raw;
  const bytes = await readBody(request, services.config.limits, mostBodyBytes);
  const [document] = parseObject(request.headers, bytes).documents;
  const { id = randomHex(chosenIdBytes), scopes, subject } = readKeyRequest(document);
  requireNotOfSecret(services, id);
  const key = makeKey(id);
  const hash = sha256(key);
  const createdAt = services.clock.now();
  const createdBy = credential.id;
  const isNew = await audited(
    context,
    services,
    { action: "key.created", keyId: id, scopes, subject },
    () => addKey(services.database, { id, sha256: hash, scopes, subject, createdAt, createdBy }),
    (created) => (created ? {} : null),
  );
  if (!isNew) throw new Problem("key-exists", "Records name keys by their ids, so that none is given twice");
  services.credentials.storedKeys.forget(id);
  const bound = subject === undefined ? {} : { subject };
  const body = { id, scopes, ...bound, createdAt: formatTimestamp(createdAt), createdBy, key };
  return context.json(body, 201, { location: `/v1/keys/${id}`, "cache-control": "no-store" });
}

/** `GET /v1/keys`: by their ids, without hashes; on the first page also those of the secret. */
export async function getKeys(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const { cursor, limit } = readParameters(keyParameters, context.req.queries());
  const page = await listKeys(services.database, { limit, after: cursor });
  if (cursor !== undefined) return context.json(page);
  const keysOfSecret = [...services.config.apiKeys.values()].map(({ id, scopes, subject }) => ({
    id,
    scopes: [...scopes],
    ...(subject === undefined ? {} : { subject }),
  }));
  return context.json({ ...page, keysOfSecret });
}

/** `GET /v1/keys/{id}`. */
export async function getKeyOf(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const id = readKeyId(context);
  return context.json((await getKey(services.database, id)) ?? unknown());
}

/** `DELETE /v1/keys/{id}`: revokes it, everywhere within a minute. */
export async function deleteKey(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const id = readKeyId(context);
  requireNotOfSecret(services, id);
  const isKnown = await audited(
    context,
    services,
    { action: "key.revoked", keyId: id },
    () => revokeKey(services.database, id, credential.id, services.clock.now()),
    (known) => (known ? {} : null),
  );
  services.credentials.storedKeys.forget(id);
  return isKnown ? context.body(null, 204) : unknown();
}

function readKeyId(context: AppContext): string {
  const id = context.req.param("keyId") ?? "";
  return keyIdPattern.test(id) ? id : unknown();
}

/** Whatever the database has under such an id is not looked at. */
function requireNotOfSecret({ config }: Services, id: string): void {
  if (!config.apiKeys.has(id)) return;
  throw new Problem("key-of-secret", "The key is one of the secret API_KEYS, which a deployment changes");
}

function unknown(): never {
  throw new Problem("unknown-key", "There is no such key");
}
