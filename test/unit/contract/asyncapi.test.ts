import { describe, expect, test } from "vitest";
import { prepare, recordOf } from "../../../durable-objects/outbox-record.ts";
import { asyncApiDocument } from "../../../contract/asyncapi.ts";
import { records } from "../../../contract/records.ts";
import { gapEvent } from "../../../src/auction/outputs.ts";
import { eventTypes, type TopicRole, topics } from "../../../src/topics.ts";
import { newValidators } from "../../support/contract/checker.ts";
import { membersNamed } from "../../support/contract/reading.ts";
import { RecordChecker } from "../../support/contract/record-checker.ts";

const document = asyncApiDocument("1.2.3");
const checker = new RecordChecker(document);

function at(pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

describe("the document of topics and webhooks", () => {
  test("is AsyncAPI 3.0 of the version that it is made for, and whatever it refers to is there", () => {
    expect(document).toMatchObject({ asyncapi: "3.0.0", info: { version: "1.2.3" } });
    const references = membersNamed(document, "$ref");
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) expect(at(String(reference)), String(reference)).toBeDefined();
  });

  test("has every topic, and every type of event in one of them, both ways", () => {
    const addresses = Object.values(document.channels).map(({ address }) => address);
    expect(new Set(addresses)).toEqual(new Set([...Object.values(topics), null]));
    expect(addresses).toHaveLength(Object.values(topics).length + 1);
    const types = Object.values(records).flatMap((messages) => messages.map(({ type }) => type));
    expect(types.toSorted()).toEqual(Object.values(eventTypes).toSorted());
  });

  test("sends on a channel only messages that the channel has", () => {
    for (const operation of Object.values(document.operations)) {
      const channel = (operation["channel"] as { $ref: string }).$ref;
      const sent = operation["messages"] as { $ref: string }[];
      expect(sent.length).toBeGreaterThan(0);
      for (const { $ref } of sent) expect($ref.startsWith(`${channel}/messages/`)).toBe(true);
    }
  });

  test("has schemas that a validator takes", () => {
    const validators = newValidators();
    validators.addSchema(document, "document");
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => validators.compile({ $ref: `document#/components/schemas/${name}` })).not.toThrow();
    }
  });
});

describe("a record that is held against it", () => {
  const gap = gapEvent(
    { topic: "auction.items", from: 3, to: 8 },
    { group: "auction", partition: 2 },
    5,
    null,
  );
  const written = recordOf(prepare(gap), {
    topic: "auction.dead-letters",
    partition: 2,
    source: "/groups/auction/2",
    sequence: 1,
  });
  const faultsOf = (role: TopicRole, more: Partial<typeof written>) =>
    checker.faultsOf(role, { ...written, ...more });

  test("is sound as Gavel writes it", () => {
    expect(faultsOf("deadLetters", {})).toEqual([]);
  });

  test.each([
    ["of a type that the topic does not carry", "journal", {}],
    ["with a member more", "deadLetters", { value: written.value.replace("{", '{"more":1,') }],
    ["with a member less", "deadLetters", { value: '{"group":"auction"}' }],
    ["with a header more", "deadLetters", { headers: [...written.headers, { key: "x", value: "1" }] }],
    ["with a header less", "deadLetters", { headers: written.headers.slice(1) }],
    ["whose value is no JSON", "deadLetters", { value: "{" }],
  ] as const)("is at fault %s", (_, role, more) => {
    expect(faultsOf(role, more).length).toBeGreaterThan(0);
  });
});
