import { endpointAddress } from "./endpoint-address.ts";

/** `fetch` for addresses that somebody else gave: with the rules for endpoints, and no redirect followed. */
export type GuardedFetch = (url: string, init: RequestInit) => Promise<Response>;

/** The address is none that may be called. Its message holds nothing of the address. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

/**
 * @param fetch called as a plain function: the runtime's own refuses another `this`
 * @param allowLoopback for development and tests on one machine
 */
export function createGuardedFetch({
  fetch,
  allowLoopback,
}: {
  readonly fetch: GuardedFetch;
  readonly allowLoopback: boolean;
}): GuardedFetch {
  return async (url, init) => {
    const address = endpointAddress(url, { allowLoopback });
    if (!address.ok) throw new AddressError(`The address ${address.error.message}`);
    // A redirect would lead where nobody judged that calls may go: it is the answer.
    return fetch(address.value.href, { ...init, redirect: "manual" });
  };
}
