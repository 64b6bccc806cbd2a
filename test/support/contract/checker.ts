import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { DocumentedAnswer, DocumentedOperation, OpenApiDocument } from "../../../contract/document.ts";
import { parseTimestamp } from "../../../src/lib/time.ts";
import { pointer } from "./reading.ts";

/** A request, as far as it says which operation is meant, and its answer. */
export interface Exchange {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent where it is a stream that does not end. */
  readonly body?: string;
}

/** Headers that say something of the interface: one that is there has to be in the document. */
const telling = new Set([
  "allow",
  "cache-control",
  "etag",
  "location",
  "preference-applied",
  "ratelimit-policy",
  "retry-after",
  "upgrade",
  "www-authenticate",
]);

/** Validators that know the formats of the document as the edge does. */
export function newValidators(): Ajv2020 {
  return new Ajv2020({
    strict: false,
    allErrors: true,
    validateSchema: false,
    formats: {
      "date-time": (text: string) => parseTimestamp(text) !== null,
      date: (text: string) => parseTimestamp(`${text}T00:00:00Z`) !== null,
      uri: (text: string) => URL.canParse(text),
      uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    },
  });
}

/** Says of answers what of them the document does not say. */
export class ContractChecker {
  private readonly document: OpenApiDocument;
  private readonly validators = newValidators();
  private readonly compiled = new Map<string, ValidateFunction>();
  private readonly paths: readonly { readonly template: string; readonly pattern: RegExp }[];

  constructor(document: OpenApiDocument) {
    this.document = document;
    this.validators.addSchema(document, "document");
    this.paths = Object.keys(document.paths)
      // What is written out goes before what a parameter stands for.
      .toSorted((left, right) => parametersIn(left) - parametersIn(right))
      .map((template) => ({ template, pattern: patternOf(template) }));
  }

  /** The path of the document that a request's path is, and its operations. */
  private pathOf(path: string): string | undefined {
    const [name = ""] = path.split("?");
    return this.paths.find(({ pattern }) => pattern.test(name))?.template;
  }

  /** Everything of an answer that is not as the document says; nothing where all is. */
  faultsOf(exchange: Exchange): string[] {
    const template = this.pathOf(exchange.path);
    const operations = template === undefined ? undefined : this.document.paths[template];
    const name = exchange.method === "HEAD" ? "get" : exchange.method.toLowerCase();
    const operation = operations?.[name];
    const where = `${exchange.method} ${template ?? "(no path)"} ${exchange.status}`;
    const faults =
      template === undefined || operation === undefined
        ? this.faultsWithoutOperation(exchange, Object.keys(operations ?? {}))
        : this.faultsWithin(exchange, operation, `/paths/${pointer(template)}/${name}`);
    return faults.map((fault) => `${where}: ${fault}`);
  }

  /** No such path is 404, no such method is 405; OPTIONS tells which there are. */
  private faultsWithoutOperation(exchange: Exchange, methods: readonly string[]): string[] {
    if (exchange.method === "OPTIONS" && exchange.status === 204 && methods.length > 0) {
      return exchange.body === "" ? [] : ["OPTIONS has a body"];
    }
    const expected = methods.length === 0 ? 404 : 405;
    if (exchange.status !== expected) return [`is no operation of the document, and not ${expected}`];
    const allowed = methods.flatMap((method) =>
      method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()],
    );
    const told = (exchange.headers["allow"] ?? "").split(", ").filter((method) => method !== "");
    const faults = allowed.every((method) => told.includes(method)) ? [] : ["Allow lacks a method"];
    if (exchange.method === "HEAD") return faults;
    const body = parsed(exchange.body);
    const hasMembers = typeof body === "object" && body !== null && "code" in body && "requestId" in body;
    return hasMembers ? faults : [...faults, "is no problem document"];
  }

  private faultsWithin(exchange: Exchange, operation: DocumentedOperation, at: string): string[] {
    const own = operation.responses[exchange.status];
    if (own === undefined) return ["the status is not documented"];
    const place = refOf(own) ?? `${at}/responses/${exchange.status}`;
    const answer = this.resolved<DocumentedAnswer>(own);
    return [
      ...this.faultsOfHeaders(exchange, answer, place),
      ...(exchange.body === undefined ? [] : this.faultsOfBody(exchange, exchange.body, answer, place)),
    ];
  }

  private faultsOfHeaders(exchange: Exchange, { headers = {} }: DocumentedAnswer, place: string): string[] {
    const documented = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    const unknown = Object.keys(exchange.headers)
      .filter((name) => telling.has(name) && !documented.has(name))
      .map((name) => `the header ${name} is not documented`);
    const faults = Object.entries(headers).flatMap(([name, own]) => {
      const value = exchange.headers[name.toLowerCase()];
      if (value === undefined) {
        return this.resolved<{ required?: boolean }>(own).required === true
          ? [`lacks the header ${name}`]
          : [];
      }
      return this.faultsOfValue(value, `${refOf(own) ?? `${place}/headers/${pointer(name)}`}/schema`, name);
    });
    return [...unknown, ...faults];
  }

  private faultsOfBody(exchange: Exchange, body: string, answer: DocumentedAnswer, place: string): string[] {
    if (answer.content === undefined || exchange.method === "HEAD") {
      return body === "" ? [] : ["has a body that is not documented"];
    }
    const type = (exchange.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
    if (!(type in answer.content)) return [`the content type ${type} is not documented`];
    const value = type.endsWith("json") ? parsed(body) : body;
    return this.faultsOfValue(value, `${place}/content/${pointer(type)}/schema`, "the body");
  }

  /** Of a value by the schema at a place of the document. */
  faultsOfValue(value: unknown, place: string, what: string): string[] {
    const validate = this.compiled.get(place) ?? this.validators.compile({ $ref: `document#${place}` });
    this.compiled.set(place, validate);
    if (validate(value)) return [];
    const told = JSON.stringify(value).slice(0, 600);
    return [`${what}: ${this.validators.errorsText(validate.errors)}: ${told}`];
  }

  private resolved<Value>(value: object): Value {
    let found: unknown = value;
    const ref = refOf(value);
    if (ref === undefined) return found as Value;
    found = this.document;
    for (const name of ref.split("/").slice(1)) {
      found = (found as Record<string, unknown>)[name.replaceAll("~1", "/").replaceAll("~0", "~")];
    }
    return found as Value;
  }
}

/** The place in the document that a reference leads to. */
function refOf(value: object): string | undefined {
  return "$ref" in value && typeof value.$ref === "string" ? value.$ref.slice(1) : undefined;
}

function parametersIn(template: string): number {
  return template.split("{").length;
}

function patternOf(template: string): RegExp {
  const parts = template
    .split(/\{[^}]+\}/)
    .map((part) => part.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

function parsed(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
