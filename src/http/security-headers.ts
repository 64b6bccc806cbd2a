/**
 * What every answer carries unless its route says otherwise. The interface is for programs: a browser
 * that is led here shows nothing of it, frames nothing, runs nothing and keeps nothing.
 * Source: OWASP, REST Security Cheat Sheet, "Security Headers".
 */
const headers: readonly (readonly [name: string, value: string])[] = [
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
  // Counts over HTTPS alone, where browsers then stay.
  ["strict-transport-security", "max-age=31536000"],
  ["x-content-type-options", "nosniff"],
];

/** Adds the headers that the route has not set itself. */
export function secure(answer: Headers): void {
  for (const [name, value] of headers) if (!answer.has(name)) answer.set(name, value);
}
