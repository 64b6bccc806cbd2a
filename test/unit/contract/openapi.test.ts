import { describe, expect, test } from "vitest";
import type { DocumentedOperation } from "../../../contract/document.ts";
import { openApiDocument } from "../../../contract/openapi.ts";
import { problemKinds } from "../../../src/lib/problem.ts";
import { ContractChecker, newValidators } from "../../support/contract/checker.ts";
import { membersNamed, operationsOf, pointer } from "../../support/contract/reading.ts";

const document = openApiDocument("1.2.3");
const operations = operationsOf(document);
const checker = new ContractChecker(document);

describe("the document and the Worker", () => {
  test("name the same parameters in paths", () => {
    for (const { path, operation } of operations) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      expect(inPath.map(({ name }) => name).toSorted(), path).toEqual(names.toSorted());
      expect(inPath.every(({ required }) => required === true)).toBe(true);
    }
  });

  test("know the same codes: every one is a code of the problem of its status", () => {
    const answered = Object.entries(problemKinds).filter(([, { status }]) => ![405, 500].includes(status));
    for (const [code, { status }] of answered) {
      const schema = document.components.schemas[`Problem${status}`] as {
        properties: { code: { enum: string[] } };
      };
      expect(schema.properties.code.enum).toContain(code);
    }
  });
});

describe("the document", () => {
  test("is OpenAPI 3.1 of the version that it is made for", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "Gavel", version: "1.2.3" } });
  });

  test("says of every operation who may, what is answered, and when it fails", () => {
    const open = new Set([
      "getHealth",
      "getReadiness",
      "getOpenApi",
      "getAsyncApi",
      "getDocs",
      "getDocsFile",
    ]);
    for (const { operation } of operations) {
      const statuses = Object.keys(operation.responses).map(Number);
      expect(
        statuses.some((status) => status < 400),
        operation.operationId,
      ).toBe(true);
      if (open.has(operation.operationId)) expect(operation.security).toEqual([]);
      else {
        expect(operation.security.length, operation.operationId).toBeGreaterThan(0);
        expect(statuses, operation.operationId).toEqual(expect.arrayContaining([401, 403, 503]));
      }
      if (operation.requestBody !== undefined) {
        expect(statuses, operation.operationId).toEqual(expect.arrayContaining([400, 413, 415, 422]));
      }
    }
  });

  test("has an example of every body, and each is as its schema says", () => {
    for (const { path, method, operation } of operations) {
      for (const [type, content] of Object.entries(operation.requestBody?.content ?? {})) {
        const examples = Object.entries(content.examples ?? {});
        expect(examples.length, `${operation.operationId} ${type}`).toBeGreaterThan(0);
        const place = `/paths/${pointer(path)}/${method}/requestBody/content/${pointer(type)}/schema`;
        for (const [name, { value }] of examples) {
          expect(checker.faultsOfValue(value, place, name)).toEqual([]);
        }
      }
    }
  });

  test("has examples of parameters that are as their schemas say", () => {
    const given = operations.flatMap(({ path, method, operation }) =>
      (operation.parameters ?? []).flatMap(({ example, name }, index) =>
        example === undefined
          ? []
          : [{ example, name, place: `/paths/${pointer(path)}/${method}/parameters/${index}/schema` }],
      ),
    );
    expect(given.length).toBeGreaterThan(20);
    for (const { example, name, place } of given) {
      expect(checker.faultsOfValue(example, place, name)).toEqual([]);
    }
  });

  test("names each operation once, and links lead to operations and their parameters", () => {
    const byId = new Map(operations.map(({ operation }) => [operation.operationId, operation]));
    expect(byId.size).toBe(operations.length);
    const links = operations.flatMap(({ operation }) =>
      Object.values(operation.responses).flatMap(({ links: own = {} }) => Object.values(own)),
    );
    expect(links.length).toBeGreaterThan(10);
    for (const { operationId, parameters } of links) {
      const target: DocumentedOperation | undefined = byId.get(operationId);
      const names = (target?.parameters ?? []).map(({ name }) => name);
      expect(names, operationId).toEqual(expect.arrayContaining(Object.keys(parameters)));
    }
  });

  test("has schemas that a strict validator takes, with patterns that are whole", () => {
    const validators = newValidators();
    validators.addSchema(document, "document");
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => validators.compile({ $ref: `document#/components/schemas/${name}` })).not.toThrow();
    }
    const patterns = membersNamed(document, "pattern");
    expect(patterns.length).toBeGreaterThan(20);
    // Flags of a regular expression have no place in JSON Schema.
    for (const pattern of patterns) expect(String(pattern)).not.toMatch(/\/[a-z]+$/);
  });

  test("refuses what no answer has: an unknown status, member, code, header and type", () => {
    const headers = {
      "content-type": "application/json",
      "x-request-id": crypto.randomUUID(),
      "cache-control": "no-store",
    };
    const told = (more: object) =>
      checker.faultsOf({
        ...{ method: "GET", path: "/healthz", status: 200, headers, body: '{"status":"ok"}' },
        ...more,
      });
    expect(told({})).toEqual([]);
    expect(told({ status: 201 })).toHaveLength(1);
    expect(told({ body: '{"status":"ok","more":1}' })).toHaveLength(1);
    expect(told({ body: '{"status":"well"}' })).toHaveLength(1);
    expect(told({ headers: { ...headers, location: "/" } })).toHaveLength(1);
    expect(told({ headers: { ...headers, "x-request-id": "1" } })).toHaveLength(1);
    expect(told({ headers: { "content-type": "application/json" } })).toHaveLength(2);
    expect(told({ headers: { ...headers, "content-type": "text/html" } })).toHaveLength(1);
    expect(told({ path: "/v1/nothing" })).toHaveLength(1);
    expect(told({ method: "PUT" })).toHaveLength(1);
  });
});
