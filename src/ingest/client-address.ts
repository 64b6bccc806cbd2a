import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Who a proxy says that it speaks for. */
export interface Forwarded {
  /** The client's public address in its usual text; absent where the proxy told none. */
  readonly address?: string;
}

/** Entries read of one header: a path through more proxies than these is none. */
const mostEntries = 64;

/**
 * The client that a proxy names: the left-most public address of `X-Forwarded-For`, or where that has
 * none, of `Forwarded` (RFC 7239). Null when the request was forwarded for nobody. Only for a
 * credential that is trusted to say so: everybody else may write what they like into both.
 */
export function forwardedClient(headers: Headers): Forwarded | null {
  const named = [
    ...nodesOfForwardedFor(headers.get("x-forwarded-for")),
    ...nodesOfForwarded(headers.get("forwarded")),
  ];
  if (named.length === 0) return null;
  for (const node of named) {
    const address = publicAddress(node);
    if (address !== null) return { address };
  }
  return {};
}

function nodesOfForwardedFor(header: string | null): string[] {
  return (header ?? "")
    .split(",", mostEntries)
    .map((entry) => unquoted(entry.trim()))
    .filter((entry) => entry !== "");
}

function unquoted(text: string): string {
  return /^"(.*)"$/.exec(text)?.[1] ?? text;
}

// One `name=value` and what is behind it: `;` for another of the same element, `,` for the next one.
// A quoted value is taken whole, so that nothing inside it passes for a pair.
const pair = /[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?[ \t]*([;,]|$)/y;

/** The values of `for`; of a header that is broken, those before the break. */
function nodesOfForwarded(header: string | null): string[] {
  const nodes: string[] = [];
  if (header === null) return nodes;
  pair.lastIndex = 0;
  while (pair.lastIndex < header.length && nodes.length < mostEntries) {
    const found = pair.exec(header);
    if (found === null) break;
    const [, name, quoted, token] = found;
    if (name?.toLowerCase() === "for") nodes.push(quoted?.replaceAll(/\\(.)/g, "$1") ?? token ?? "");
  }
  return nodes;
}

/** A public address behind a node's name as proxies write it: with a port, in brackets, or neither. */
function publicAddress(node: string): string | null {
  const [, bracketed] = /^\[([^\]]*)\](?::[\w.-]+)?$/.exec(node) ?? [];
  const [, dotted] = /^(\d+(?:\.\d+){3})(?::[\w.-]+)?$/.exec(node) ?? [];
  const address = parse(bracketed ?? dotted ?? node);
  const told = address === null ? null : carriedAddress(address);
  return told !== null && isPublic(told) ? told.toString() : null;
}

/** Four decimal numbers or IPv6: other spellings (octal, one number, fewer parts) are no proxy's. */
function parse(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  // With a zone it is an address of one link only.
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text)
    ? ipaddr.IPv6.parse(text)
    : null;
}

/**
 * The IPv4 address that an IPv6 one stands for: mapped and translated ones end in it, 6to4 has it
 * behind its prefix, and Teredo ends in the client's with every bit turned over.
 */
function carriedAddress(address: Address): Address {
  if (address instanceof ipaddr.IPv4) return address;
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === "ipv4Mapped" || range === "rfc6145" || address.match(translated))
    return ipv4(bytes.slice(12));
  if (range === "6to4") return ipv4(bytes.slice(2, 6));
  if (range === "teredo") return ipv4(bytes.slice(12).map((byte) => byte ^ 0xff));
  return address;
}

// RFC 6052's well-known prefix. Where the address is in a network's own prefix, only that network knows.
const translated: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("64:ff9b::"), 96];

function ipv4(octets: number[]): ipaddr.IPv4 {
  return new ipaddr.IPv4(octets);
}

const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** Whether it is one of the addresses that are given to networks of the internet. */
function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast);
}
