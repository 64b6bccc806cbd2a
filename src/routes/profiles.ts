import { readBody } from "../ingest/body.ts";
import { issuesFromZod } from "../ingest/issues.ts";
import { parseObject } from "../ingest/parse.ts";
import { idPattern } from "../auction/events.ts";
import { Problem, problemFromIssues } from "../lib/problem.ts";
import { formatTimestamp } from "../lib/time.ts";
import { type ProfileFields, profileSchema } from "../profiles/profile.ts";
import { deleteProfile, getProfile, putProfile } from "../profiles/store.ts";
import { audited } from "./audit.ts";
import { admit, type AppContext } from "./operation.ts";

/** The largest profile, with every character escaped, has 41 KB. */
const mostBodyBytes = 65_536;
/** Of an id in an audit line: none that is longer has a profile. */
const longestId = 128;

/** `PUT /v1/profiles/{id}`: the profile is what the body says, whatever it was. */
export async function putProfileOf(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const id = context.req.param("profileId") ?? "";
  if (!idPattern.test(id)) throw new Problem("invalid-parameter", "id: must be an id");
  const request = context.req.raw;
  const bytes = await readBody(request, services.config.limits, mostBodyBytes);
  const fields = readFields(request.headers, bytes);
  const now = services.clock.now();
  const isNew = await audited(
    context,
    services,
    { action: "profile.put", profile: id },
    () => putProfile(services.database, id, fields, now),
    (created) => ({ created }),
  );
  return context.json({ id, ...fields, updatedAt: formatTimestamp(now) }, isNew ? 201 : 200);
}

/** `GET /v1/profiles/{id}`. */
export async function getProfileOf(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "read", "operate");
  const id = context.req.param("profileId") ?? "";
  const profile = await getProfile(services.database, id);
  if (profile === null) throw new Problem("unknown-profile", "There is no profile of this id");
  return context.json({ id, ...profile });
}

/** `DELETE /v1/profiles/{id}`: what is not there is not there afterwards either. */
export async function deleteProfileOf(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const id = context.req.param("profileId") ?? "";
  const entry = { action: "profile.deleted", profile: id.slice(0, longestId) };
  await audited(context, services, entry, () => deleteProfile(services.database, id));
  return context.body(null, 204);
}

/** @throws {Problem} */
function readFields(headers: Headers, bytes: Uint8Array): ProfileFields {
  if (bytes.length === 0) throw new Problem("malformed-json", "Send the profile as a JSON object");
  const [document] = parseObject(headers, bytes).documents;
  const result = profileSchema.safeParse(document);
  if (result.success) return result.data;
  throw problemFromIssues(issuesFromZod(result.error.issues, document, ""));
}
