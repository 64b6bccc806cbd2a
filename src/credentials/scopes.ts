/** What a credential may do. Source: the interface, "Credentials". */
export const scopes = [
  "items:write",
  "bids:write",
  "read",
  "operate",
  "trusted-time",
  "trusted-proxy",
] as const;
export type Scope = (typeof scopes)[number];

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
