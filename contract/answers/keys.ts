import { z } from "zod";
import { keyIdPattern } from "../../src/credentials/api-key.ts";
import { scopes } from "../../src/credentials/scopes.ts";
import { keySchema } from "../../src/credentials/validate.ts";
import { id, timestamp } from "../../src/ingest/schemas.ts";

export const keyId = z.string().regex(keyIdPattern);

export const keyRequest = keySchema.meta({ id: "KeyRequest" });

const members = {
  id: keyId,
  scopes: z.array(z.enum(scopes)),
  subject: id.optional(),
};
const made = { createdAt: timestamp, createdBy: z.string() };

const storedKey = { ...members, ...made, revokedAt: timestamp.optional(), revokedBy: z.string().optional() };

export const key = z.strictObject(storedKey).meta({ id: "Key" });

export const newKey = z
  .strictObject({ ...members, ...made, key: z.string().regex(/^gvl_[A-Za-z0-9.-]{1,64}_[0-9a-f]{64}$/) })
  .meta({ id: "NewKey", description: "The one answer that has the key" });

export const keyPage = z
  .strictObject({
    keys: z.array(key),
    keysOfSecret: z.array(z.strictObject(members).meta({ id: "KeyOfSecret" })).optional(),
    next: keyId.optional(),
  })
  .meta({ id: "KeyPage", description: "The first page also has the keys of the secret API_KEYS" });
