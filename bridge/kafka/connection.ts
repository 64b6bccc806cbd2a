import { isIP } from "node:net";
import type { ConnectionOptions, SASLOptions } from "@platformatic/kafka";

/** How the bridge reaches the brokers and who it is there. */
export interface KafkaConnection {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Node's TLS options; absent for plain text. */
  readonly tls?: NonNullable<ConnectionOptions["tls"]>;
  readonly sasl?: SASLOptions;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** How long a broker may take to accept a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/** @throws {Error} with a plain sentence for what is no address. */
export function parseBroker(text: string): BrokerAddress {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(text);
  const [, host, port] = match ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`"${text}" is not a broker's address: write host:port, for example 127.0.0.1:9092.`);
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/**
 * The client's options for one pool of connections. `requestTimeoutMs` bounds how long an answer
 * may take; a connection on which one is overdue is closed, since those behind it wait as well.
 */
export function poolOptions(connection: KafkaConnection, requestTimeoutMs: number): ConnectionOptions {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    ...(connection.tls === undefined ? {} : { tls: connection.tls, tlsServerName: serverName(connection) }),
    ...(connection.sasl === undefined ? {} : { sasl: connection.sasl }),
  };
}

/**
 * What a broker is asked for by TLS (SNI): a name that is given, or each broker's host. An address
 * is no name (RFC 6066); its certificate is held against it all the same.
 */
function serverName({ brokers, tls }: KafkaConnection): string | boolean {
  const isNamed = brokers.some((broker) => isIP(parseBroker(broker).host) === 0);
  return tls?.servername ?? isNamed;
}
