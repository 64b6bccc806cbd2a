/** How often a comment shows that the connection is alive, and finds out that the client is gone. */
const heartbeatMs = 15_000;
/** How long a client waits before it connects again. */
const retryMs = 2_000;

/** What is used of a feed's WebSocket. */
export interface MessageSource {
  accept(): void;
  send(text: string): void;
  close(code: number, reason: string): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/** What a WebSocket's message says of itself. */
interface Numbered {
  readonly number: number;
  readonly id: string;
}

/**
 * A feed's messages as server-sent events. Each is acknowledged once the client's connection has taken it,
 * so that a client which does not read is found by the feed as any other is.
 * Source: HTML, "Server-sent events", 9.2.6.
 * @param every calls back again and again until the function that it returns is called
 */
export function eventStream(
  source: MessageSource,
  every: (milliseconds: number, callback: () => void) => () => void,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const write = (text: string): Promise<void> => writer.write(encoder.encode(text));
  let isOver = false;
  let stopHeartbeat: () => void = () => undefined;

  /** The client is gone, or the feed has ended: the other side hears of it. */
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    stopHeartbeat();
    source.close(1000, "the stream is over");
    writer.close().catch(() => undefined);
  };

  source.addEventListener("message", ({ data }) => {
    if (typeof data !== "string" || isOver) return;
    const { number, id } = JSON.parse(data) as Numbered;
    write(`id: ${id}\nevent: items\ndata: ${data}\n\n`).then(
      () => (isOver ? undefined : source.send(`{"ack":${number}}`)),
      end,
    );
  });
  source.addEventListener("close", end);
  source.addEventListener("error", end);
  // The client's side tells that it is gone, also while nothing is written.
  writer.closed.then(end, end);
  write(`retry: ${retryMs}\n\n`).catch(end);
  // A second comment behind one that was not taken would only wait as well.
  let isTaken = true;
  stopHeartbeat = every(heartbeatMs, () => {
    if (!isTaken) return;
    isTaken = false;
    write(": still here\n\n").then(() => (isTaken = true), end);
  });
  source.accept();
  return readable;
}
