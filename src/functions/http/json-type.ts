const jsonType = /^[^;]*[/+]json[ \t]*(?:;|$)/i;

/** Whether a content type says JSON, or something made of it (`application/problem+json`). */
export function isJsonType(contentType: string): boolean {
  return jsonType.test(contentType);
}
