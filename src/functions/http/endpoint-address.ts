import { failure, ok, type Result } from "../../lib/result.ts";

/** Why an address is not called. */
export interface AddressProblem {
  readonly code:
    | "malformed"
    | "too-long"
    | "not-https"
    | "credentials"
    | "ip-address"
    | "internal-name"
    | "port"
    | "not-listed";
  /** Goes behind the name of the field, or behind "The endpoint's address"; holds nothing of it. */
  readonly message: string;
}

const longestAddress = 2048;
const httpsPort = 443;
/** Below it are the ports of services that are no websites, but for HTTPS's own. */
const firstOpenPort = 1024;

/**
 * Names that mean something only inside a network, or nothing anywhere, and everything below them:
 * special-use domains (RFC 6761, 6762, 7686, 8375, 9476), ICANN's `internal`, and what routers,
 * offices, clouds and clusters use in their place.
 */
const internalNames = [
  "alt",
  "arpa",
  "cluster",
  "consul",
  "corp",
  "docker",
  "example",
  "home",
  "internal",
  "intranet",
  "invalid",
  "lan",
  "local",
  "localdomain",
  "localhost",
  "onion",
  "private",
  "svc",
  "test",
];

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const longestName = 253;
const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

export interface AddressRules {
  /** Takes `localhost`, 127.0.0.0/8 and ::1 as well, also without TLS: for development and tests on one machine. */
  readonly allowLoopback: boolean;
  /** The only public hosts that are called, in lower case; `*.example.com` is all below that name. None: all. */
  readonly hosts?: readonly string[];
}

/**
 * The URL to call for an address that somebody else gave, or why it is not called. Whoever may
 * name an address makes the gateway call it, so that only public names over HTTPS are taken: what
 * stands in the URL is all that can be judged here, and what a name resolves to is the network's
 * to refuse. `new URL` has already made plain addresses of odd ones (`0x7f.1`, `2130706433`,
 * full-width digits, percent-encoding), as the runtime does before it calls.
 */
export function endpointAddress(
  text: string,
  { allowLoopback, hosts = [] }: AddressRules,
): Result<URL, AddressProblem> {
  if (text.length > longestAddress) {
    return refuse("too-long", `has at most ${longestAddress} characters`);
  }
  const url = URL.parse(text);
  if (url === null) return refuse("malformed", "must be an absolute URL");
  if (url.username !== "" || url.password !== "") {
    return refuse("credentials", "must not hold credentials: calls are signed");
  }
  if (allowLoopback && isLoopback(url)) return ok(url);
  if (url.protocol !== "https:") return refuse("not-https", "must begin with https://");
  const host = url.hostname.replace(/\.$/, "");
  const problem = hostProblem(host) ?? portProblem(url.port) ?? listProblem(host, hosts);
  if (problem !== undefined) return failure(problem);
  // With the dot of the root a certificate may not match, and a cache may see another host.
  url.hostname = host;
  return ok(url);
}

function isLoopback({ protocol, hostname }: URL): boolean {
  if (protocol !== "https:" && protocol !== "http:") return false;
  if (ipv4.test(hostname)) return hostname.startsWith("127.");
  return hostname === "localhost" || hostname === "[::1]";
}

function hostProblem(host: string): AddressProblem | undefined {
  if (host.startsWith("[") || ipv4.test(host)) {
    return { code: "ip-address", message: "must name a host, not an IP address" };
  }
  const labels = host.split(".");
  if (host.length > longestName || !labels.every((part) => label.test(part))) {
    return { code: "malformed", message: "must name a host of DNS" };
  }
  if (labels.length === 1 || internalNames.includes(labels.at(-1) ?? "")) {
    return { code: "internal-name", message: "must name a public host, not one inside a network" };
  }
  return undefined;
}

function portProblem(port: string): AddressProblem | undefined {
  const number = port === "" ? httpsPort : Number(port);
  if (number === httpsPort || number >= firstOpenPort) return undefined;
  return { code: "port", message: `must have port ${httpsPort}, or one from ${firstOpenPort} on` };
}

function listProblem(host: string, hosts: readonly string[]): AddressProblem | undefined {
  const isListed = (entry: string): boolean =>
    entry.startsWith("*.") ? host.endsWith(entry.slice(1)) : host === entry;
  if (hosts.length === 0 || hosts.some(isListed)) return undefined;
  return { code: "not-listed", message: "must name one of the hosts that SUBSCRIBER_HOSTS lists" };
}

function refuse(code: AddressProblem["code"], message: string): Result<URL, AddressProblem> {
  return failure({ code, message });
}
