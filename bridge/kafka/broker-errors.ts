import {
  connectionsApiChannel,
  connectionsConnectsChannel,
  AuthenticationError,
  ProtocolError,
  ResponseError,
} from "@platformatic/kafka";
import { errorsInside } from "./errors.ts";
import type { LogObserver } from "./observer.ts";

/** Kafka's own name for a broker that cannot be reached. */
const UNREACHABLE = "NETWORK_EXCEPTION";

/**
 * Tells of every error that a broker answers, also of those that a retry mends, and of every
 * connection that cannot be had. The client publishes them on diagnostics channels, for the whole
 * process: its own requests and those of the bridge alike. Answers what ends it.
 */
export function observeBrokers(observer: LogObserver): () => void {
  const answered = (message: unknown) => {
    const error = errorOf(message);
    if (!(error instanceof ResponseError)) return;
    for (const one of error.errors) if (one instanceof ProtocolError) observer.brokerError(nameOf(one));
  };
  const unreachable = (message: unknown) => {
    const inside = [...errorsInside(errorOf(message))];
    // A broker that refuses credentials was reached, and has answered so.
    if (!inside.some((error) => error instanceof AuthenticationError)) observer.brokerError(UNREACHABLE);
  };
  connectionsApiChannel.error.subscribe(answered);
  connectionsConnectsChannel.error.subscribe(unreachable);
  return () => {
    connectionsApiChannel.error.unsubscribe(answered);
    connectionsConnectsChannel.error.unsubscribe(unreachable);
  };
}

function errorOf(message: unknown): Error | null {
  const error: unknown =
    typeof message === "object" && message !== null ? Reflect.get(message, "error") : null;
  return error instanceof Error ? error : null;
}

function nameOf(error: ProtocolError): string {
  return String(Reflect.get(error, "apiId"));
}
