import type { Credential } from "./authenticate.ts";
import { forwardedClient } from "./client-address.ts";
import type { CountryData } from "./country-data.ts";
import type { Geography } from "./enrich.ts";

/** A request, as far as it says where it comes from. */
export interface Arrival {
  readonly headers: Headers;
  /** What the platform says of the connection, `request.cf`. */
  readonly connection: Geography | undefined;
  /** Keeps work alive behind the request's answer. */
  readonly inBackground: (work: Promise<unknown>) => void;
}

/**
 * Where a request's client is. A credential that is trusted to forward others' requests says by its
 * headers whose this one is; the connection's place is then the proxy's, and only the data centre is
 * kept of it. An address goes no further than the look-up.
 */
export function locateClient(
  countries: CountryData,
  credential: Credential,
  { headers, connection, inBackground }: Arrival,
): Geography | undefined | Promise<Geography> {
  const forwarded = credential.scopes.has("trusted-proxy") ? forwardedClient(headers) : null;
  if (forwarded === null) return connection;
  const { address } = forwarded;
  if (address === undefined) return { colo: connection?.colo };
  return countries
    .countryOf(address, inBackground)
    .then((country) => ({ country: country ?? undefined, colo: connection?.colo }));
}
