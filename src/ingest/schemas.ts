import { z } from "zod";
import { type AttributeValue, idPattern } from "../auction/events.ts";
import { currencies, isCurrency } from "../lib/currency.ts";
import type { IssueCode } from "../lib/problem.ts";
import { codePointLength, hasDisallowed } from "../lib/text.ts";
import { parseTimestamp } from "../lib/time.ts";
import { eventTypes } from "../topics.ts";
import { isJson, isWholeEvent, parseMediaType } from "./media-type.ts";

/**
 * What the edge takes in. Source of names and bounds: the interface, "Writing".
 *
 * `meta` tells in the words of JSON Schema what a check of our own holds, for the document that is
 * generated of these schemas; it validates nothing.
 */
export const itemAttributes = { most: 32, longest: 1000 } as const;

interface Payload {
  readonly value: unknown;
  readonly issues: z.core.$ZodRawIssue[];
}

function report(payload: Payload, code: IssueCode, message: string, path?: PropertyKey[]): void {
  payload.issues.push({
    code: "custom",
    input: payload.value,
    message,
    params: { code },
    ...(path === undefined ? {} : { path }),
  });
}

/** Unicode scalar values, counted in code points; nothing is trimmed or normalised. */
export const text = (shortest: number, longest: number) =>
  z
    .string()
    .check((payload) => {
      const { value } = payload;
      if (!value.isWellFormed()) return report(payload, "not-unicode", "holds half of a surrogate pair");
      if (value.length < shortest) return report(payload, "too-short", `has at least ${shortest} characters`);
      // Units are never fewer than code points: most texts need no count.
      if (value.length > longest && codePointLength(value) > longest) {
        report(payload, "too-long", `has at most ${longest} characters`);
      }
    })
    .meta({ minLength: shortest, maxLength: longest });

export const id = z
  .string()
  .regex(idPattern, "must be 1 to 64 of A-Z a-z 0-9 . _ : ~ - and neither . nor ..")
  .meta({ id: "Id" });

/** A String of CloudEvents, which travels in a record's header. */
const attributeText = (shortest: number, longest: number) =>
  text(shortest, longest)
    .check((payload) => {
      if (!hasDisallowed(payload.value)) return;
      report(
        payload,
        "invalid-format",
        "must not hold control characters, nor what Unicode calls no character",
      );
    })
    .meta({ pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufdd0-\\ufdef\\ufffe\\uffff]*$" });

/** An event's id or source. */
export const eventIdentifier = attributeText(1, 256);

/** A CloudEvents extension attribute that is a text; it may be empty. */
export const extensionText = attributeText(0, 1024);

const uri = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/;

/** A URI with a scheme (RFC 3986). */
const schemaUri = attributeText(1, 256)
  .check((payload) => {
    if (!uri.test(payload.value)) report(payload, "invalid-format", "must be a URI with a scheme");
  })
  .meta({ pattern: uri.source });

const mediaTypeForm = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[ \t]*(?:;[\x20-\x7e]*)?$/;

/** What data in JSON may be called. Another type says that the data is something else than is taken. */
const jsonMediaType = text(1, 256)
  .check((payload) => {
    // What most say, a thousand times in a batch.
    if (payload.value === "application/json") return;
    const { essence, isUtf8 } = parseMediaType(payload.value);
    if (!mediaTypeForm.test(payload.value) || !isJson(essence) || isWholeEvent(essence)) {
      report(payload, "invalid-format", "must be a media type of JSON, as application/json");
    } else if (!isUtf8) report(payload, "invalid-format", "must name no other charset than UTF-8");
  })
  // JSON Schema has no pattern that passes over the case, and knows nothing of parameters.
  .meta({ pattern: "^[^;/]+/(?:[^;/]*\\+)?[Jj][Ss][Oo][Nn][ \\t]*(?:;|$)" });

export const timestamp = z
  .string()
  .check((payload) => {
    if (parseTimestamp(payload.value) === null) {
      report(
        payload,
        "invalid-format",
        "must be a date and time of RFC 3339 that exists, with Z or an offset",
      );
    }
  })
  .meta({ format: "date-time" });

export const currency = z
  .string()
  .check((payload) => {
    if (!isCurrency(payload.value))
      report(payload, "unknown-currency", "must be a currency code of ISO 4217");
  })
  .meta({ id: "Currency", enum: currencies });

/** Minor units, up to 2^53 - 1: beyond it JSON numbers lose cents. */
export const money = (least: number) => z.int().min(least).meta({ maximum: Number.MAX_SAFE_INTEGER });

/** Named scalars: at most `most` of them, names and texts of at most `longest` characters. */
export const attributes = (most: number, longest: number) =>
  z
    .custom<Record<string, AttributeValue>>()
    .check((payload) => {
      const { value } = payload;
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return report(payload, "invalid-type", "must be an object");
      }
      const entries = Object.entries(value);
      if (entries.length > most) report(payload, "too-many", `has at most ${most} entries`);
      for (const [name, entry] of entries) checkAttribute(payload, name, entry, longest);
    })
    .meta({
      type: "object",
      maxProperties: most,
      propertyNames: { maxLength: longest },
      additionalProperties: { type: ["string", "number", "boolean"], maxLength: longest },
    });

function checkAttribute(payload: Payload, name: string, value: unknown, longest: number): void {
  for (const part of [name, value]) {
    if (typeof part !== "string") continue;
    if (!part.isWellFormed()) report(payload, "not-unicode", "holds half of a surrogate pair", [name]);
    else if (codePointLength(part) > longest) {
      report(payload, "too-long", `has at most ${longest} characters`, [name]);
    }
  }
  // Not finite: JSON's 1e999, which could not be written again.
  const scalar = typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  if (!scalar) report(payload, "invalid-type", "must be a text, a number or a boolean", [name]);
}

export const category = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be 1 to 64 of a-z 0-9 - and not start with -")
  .meta({ id: "Category" });

export const itemSchema = z.strictObject({
  itemId: id,
  sellerId: id,
  title: text(1, 200),
  category,
  currency,
  startingPrice: money(0),
  endsAt: timestamp,
  description: text(0, 4000).optional(),
  attributes: attributes(itemAttributes.most, itemAttributes.longest).optional(),
  reserve: money(0).optional(),
  increment: money(1).optional(),
  startsAt: timestamp.optional(),
});

export const bidSchema = z.strictObject({
  itemId: id,
  bidderId: id,
  amount: money(1),
  currency,
  bidId: id.optional(),
});

export const withdrawalSchema = z.strictObject({ itemId: id, reason: text(0, 1000).optional() });

/** A tick says everything in its envelope. */
export const tickSchema = z.strictObject({}).nullish();

/** The types that clients may write. */
const writableTypes = [
  eventTypes.itemListed,
  eventTypes.itemWithdrawn,
  eventTypes.bidPlaced,
  eventTypes.tick,
] as const;
export type WritableType = (typeof writableTypes)[number];

/**
 * A CloudEvents 1.0 envelope. An attribute that is null counts as absent; `traceparent` and
 * `tracestate` are judged later, since an invalid one starts a new trace and is no fault.
 */
export const envelopeSchema = z.looseObject({
  specversion: z.literal("1.0"),
  id: eventIdentifier,
  source: eventIdentifier,
  type: z.enum(writableTypes),
  subject: text(1, 256).nullish(),
  time: timestamp.nullish(),
  datacontenttype: jsonMediaType.nullish(),
  dataschema: schemaUri.nullish(),
  data: z.unknown().optional(),
  data_base64: z.string().nullish(),
});
