import { parseTimestamp } from "../lib/time.ts";
import type { Issue } from "../lib/problem.ts";
import { uuidv7 } from "../lib/uuid.ts";
import { eventTypes } from "../topics.ts";
import { readEventData } from "./event-data.ts";
import { readExtensions } from "./extensions.ts";
import { issuesFromZod } from "./issues.ts";
import { envelopeSchema, type WritableType } from "./schemas.ts";

/** An event whose envelope is sound and whose data has not been looked at. */
export interface Draft {
  readonly type: WritableType;
  readonly id: string;
  readonly source: string;
  readonly data: unknown;
  /** Where `data` is in what the client sent: its issues' pointers start here. */
  readonly root: "" | "/data" | "/data_base64";
  /** The JSON media type of the data, where the client said which. */
  readonly contentType?: string;
  /** What the client says of the time, in milliseconds; counts only with `trusted-time`. */
  readonly time?: number;
  readonly subject?: string;
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
  /** Further attributes, as pairs of header name and value. */
  readonly extensions: readonly (readonly [string, string])[];
}

export type DraftResult = { readonly draft: Draft } | { readonly issues: readonly Issue[] };

/** An event from a plain body, whose type its route knows. */
export interface PlainContext {
  readonly type: WritableType;
  readonly source: string;
  /** The `Idempotency-Key`; absent: each event gets a UUIDv7. */
  readonly id?: string;
  readonly now: number;
}

export function draftFromPlain(data: unknown, { type, source, id, now }: PlainContext): Draft {
  return { type, id: id ?? uuidv7(now), source, data, root: "", extensions: [] };
}

/** A withdrawal's draft: the item is named by the path, which the body cannot contradict. */
export function draftFromWithdrawal(body: unknown, itemId: string, context: PlainContext): DraftResult {
  const type = eventTypes.itemWithdrawn;
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { issues: [{ pointer: "", code: "invalid-type", message: "must be an object" }] };
  }
  if (Object.hasOwn(body, "itemId")) {
    return { issues: [{ pointer: "/itemId", code: "unknown-field", message: "is named by the path" }] };
  }
  return { draft: draftFromPlain({ ...body, itemId }, { ...context, type }) };
}

const envelopeNames: ReadonlySet<string> = new Set([
  ...Object.keys(envelopeSchema.shape),
  "traceparent",
  "tracestate",
]);

/** A structured CloudEvent with its envelope checked. */
export function draftFromCloudEvent(document: unknown): DraftResult {
  const result = envelopeSchema.safeParse(document);
  const issues = result.success ? [] : issuesFromZod(result.error.issues, document, "");
  const extensions = readExtensions(document, envelopeNames, issues);
  if (!result.success) return { issues };
  const event = result.data;
  const { data, root } = readEventData(event, issues);
  if (issues.length > 0) return { issues };
  const time = event.time == null ? null : parseTimestamp(event.time);
  return {
    draft: {
      type: event.type,
      id: event.id,
      source: event.source,
      data,
      root,
      ...(event.datacontenttype == null ? {} : { contentType: event.datacontenttype }),
      extensions:
        event.dataschema == null ? extensions : [["ce_dataschema", event.dataschema], ...extensions],
      ...(time === null ? {} : { time }),
      ...(event.subject == null ? {} : { subject: event.subject }),
      traceparent: event.traceparent,
      tracestate: event.tracestate,
    },
  };
}
