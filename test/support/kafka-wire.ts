import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What happens to one produce on its way. */
export type WireFault =
  /** The connection breaks before the broker hears of it. */
  | { readonly kind: "cut-request" }
  /** The broker has done it, and its answer is lost with the connection. */
  | { readonly kind: "cut-answer" }
  /** The broker has done it, and its answer never comes. */
  | { readonly kind: "hold-answer" }
  /** The answer comes late. Milliseconds. */
  | { readonly kind: "delay-answer"; readonly milliseconds: number }
  /** The broker's answer has another error code, in an answer about one partition. */
  | { readonly kind: "answer-code"; readonly code: number };

const PRODUCE = 0;
const INIT_PRODUCER_ID = 22;

/**
 * A wire between a Kafka client and a real broker, which passes everything on but what a test has
 * happen to produces. The broker has to advertise the wire's port as its own.
 */
export class KafkaWire {
  /** Asked once a produce; undefined lets it pass. */
  fault: () => WireFault | undefined = () => undefined;
  produces = 0;
  #heldIdentities: (() => void)[] | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #brokerPort = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<KafkaWire> {
    const server = createServer();
    const wire = new KafkaWire(server);
    server.on("connection", (client) => wire.#join(client));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  leadTo(brokerPort: number): void {
    this.#brokerPort = brokerPort;
  }

  /** From now on nobody hears which producer they are. @returns what lets them hear. */
  holdIdentities(): () => void {
    this.#heldIdentities = [];
    return () => {
      const held = this.#heldIdentities ?? [];
      this.#heldIdentities = undefined;
      for (const pass of held) pass();
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const broker = connect(this.#brokerPort, "127.0.0.1");
    const faults = new Map<number, WireFault>();
    const identities = new Set<number>();
    const end = () => {
      client.destroy();
      broker.destroy();
      this.#sockets.delete(client);
      this.#sockets.delete(broker);
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).on("error", end).on("close", end);
    }
    eachFrame(client, (frame) => {
      if (frame.readInt16BE(4) === INIT_PRODUCER_ID) identities.add(frame.readInt32BE(8));
      this.#request(frame, broker, faults, end);
    });
    eachFrame(broker, (frame) => {
      const isHeld = identities.delete(frame.readInt32BE(4)) && this.#heldIdentities !== undefined;
      if (isHeld) this.#heldIdentities?.push(() => client.write(frame));
      else answer(frame, client, faults, end);
    });
  }

  #request(frame: Buffer, broker: Socket, faults: Map<number, WireFault>, end: () => void): void {
    if (frame.readInt16BE(4) === PRODUCE) {
      this.produces += 1;
      const fault = this.fault();
      if (fault?.kind === "cut-request") return end();
      if (fault !== undefined) faults.set(frame.readInt32BE(8), fault);
    }
    broker.write(frame);
  }
}

function answer(frame: Buffer, client: Socket, faults: Map<number, WireFault>, end: () => void): void {
  const correlation = frame.readInt32BE(4);
  const fault = faults.get(correlation);
  faults.delete(correlation);
  if (fault === undefined) client.write(frame);
  else if (fault.kind === "cut-answer") end();
  else if (fault.kind === "delay-answer") setTimeout(() => client.write(frame), fault.milliseconds);
  else if (fault.kind === "answer-code") client.write(withCode(frame, fault.code));
}

/**
 * Produce's answer about one partition, versions 9 to 11: length, correlation id, tags, one topic
 * (its name), one partition (its index), then the error's code.
 */
function withCode(frame: Buffer, code: number): Buffer {
  const changed = Buffer.from(frame);
  const nameLength = frame.readUInt8(10) - 1;
  const codeAt = 11 + nameLength + 1 + 4;
  changed.writeInt16BE(code, codeAt);
  return changed;
}

/** Calls for every message of the protocol, its length included. */
function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const length = 4 + rest.readInt32BE(0);
      const frame = rest.subarray(0, length);
      rest = rest.subarray(length);
      take(frame);
    }
  });
}
