import type { ValidateFunction } from "ajv/dist/2020.js";
import type { AsyncApiDocument } from "../../../contract/asyncapi.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import type { TopicRole } from "../../../src/topics.ts";
import { newValidators } from "./checker.ts";

/** Says of records and deliveries what of them the document of topics and webhooks does not say. */
export class RecordChecker {
  private readonly document: AsyncApiDocument;
  private readonly validators = newValidators();
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(document: AsyncApiDocument) {
    this.document = document;
    this.validators.addSchema(document, "document");
  }

  /** Everything of a record that is not as its topic's messages say; nothing where all is. */
  faultsOf(role: TopicRole, { headers, value }: Pick<LogRecord, "headers" | "value">): string[] {
    const named = Object.fromEntries(headers.map((header) => [header.key, header.value]));
    const type = named["ce_type"] ?? "";
    const name = this.messageOf(role, type);
    if (name === undefined) return [`${role} carries no ${type}`];
    return this.faultsOfMessage(name, named, parsed(value));
  }

  /** Of a message by its name. */
  faultsOfMessage(name: string, headers: Readonly<Record<string, unknown>>, payload: unknown): string[] {
    return [...this.faultsBy(`${name}Headers`, headers), ...this.faultsBy(`${name}Payload`, payload)];
  }

  private messageOf(role: TopicRole, type: string): string | undefined {
    const { messages = {} } = this.document.channels[role] ?? {};
    return Object.keys(messages).find((name) => this.document.components.messages[name]?.["title"] === type);
  }

  private faultsBy(schema: string, value: unknown): string[] {
    const validate =
      this.compiled.get(schema) ??
      this.validators.compile({ $ref: `document#/components/schemas/${schema}` });
    this.compiled.set(schema, validate);
    if (validate(value)) return [];
    const told = JSON.stringify(value) ?? "nothing";
    return [`${schema}: ${this.validators.errorsText(validate.errors)}: ${told.slice(0, 600)}`];
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
