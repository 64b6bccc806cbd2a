import ipaddr from "ipaddr.js";

/**
 * What of an address counts as one client: all of an IPv4 address, also of one written as IPv6; of an
 * IPv6 address the first 64 bits, since whoever has one has the others.
 */
export function clientPart(address: string): string | null {
  let parsed: ipaddr.IPv4 | ipaddr.IPv6;
  try {
    parsed = ipaddr.process(address);
  } catch {
    return null;
  }
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(":") : parsed.toString();
}
