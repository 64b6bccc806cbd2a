import { connect, type Socket } from "node:net";

/** Opcodes. Source: RFC 6455, 11.8. */
const text = 1;
const close = 8;
const ping = 9;

export interface WebSocketHandlers {
  readonly onText: (message: string) => void;
  /** With the code of its close frame; 1006 where there was none. */
  readonly onClose?: (code: number) => void;
}

/**
 * A client's WebSocket over its bare connection. Thousands of them share their cores with what they
 * measure, so it does no more than RFC 6455 wants of a client; and it can stop reading, as no library's can.
 */
export class RawWebSocket {
  readonly #socket: Socket;
  readonly #handlers: WebSocketHandlers;
  #received: Buffer = Buffer.alloc(0);
  #code = 1006;

  private constructor(socket: Socket, handlers: WebSocketHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("close", () => handlers.onClose?.(this.#code));
  }

  /** @throws {Error} with the answer's first line when it is no 101 */
  static open(
    url: string,
    headers: Readonly<Record<string, string>>,
    handlers: WebSocketHandlers,
  ): Promise<RawWebSocket> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const lines = Object.entries({
      host,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.from("sixteen bytes of").toString("base64"),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      socket.once("connect", () => {
        socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`);
      });
      socket.on("error", reject);
      let answer = Buffer.alloc(0);
      const read = (chunk: Buffer): void => {
        answer = Buffer.concat([answer, chunk]);
        const end = answer.indexOf("\r\n\r\n");
        if (end === -1) return;
        socket.off("data", read);
        const [status = ""] = answer.toString("latin1", 0, end).split("\r\n");
        if (!status.startsWith("HTTP/1.1 101")) {
          socket.destroy();
          return reject(new Error(status));
        }
        const opened = new RawWebSocket(socket, handlers);
        resolve(opened);
        opened.#take(answer.subarray(end + 4));
      };
      socket.on("data", read);
    });
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const taken = this.#takeFrame();
      if (taken === 0) return;
      this.#received = this.#received.subarray(taken);
    }
  }

  /** Takes one whole frame, which a server does not mask; answers its length, 0 where it is not here yet. */
  #takeFrame(): number {
    const buffer = this.#received;
    if (buffer.length < 2) return 0;
    const short = buffer.readUInt8(1) & 127;
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (buffer.length < head) return 0;
    const length =
      short === 127 ? Number(buffer.readBigUInt64BE(2)) : short === 126 ? buffer.readUInt16BE(2) : short;
    if (buffer.length < head + length) return 0;
    this.#handle(buffer.readUInt8(0) & 15, buffer.subarray(head, head + length));
    return head + length;
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === text) this.#handlers.onText(payload.toString());
    else if (opcode === ping) this.#write(10, payload);
    else if (opcode === close) {
      this.#code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
      this.#write(close, payload);
      this.#socket.end();
    }
  }

  send(message: string): void {
    this.#write(text, Buffer.from(message));
  }

  /** Masked with zeros, which leaves a payload of up to 125 bytes as it is. */
  #write(opcode: number, payload: Buffer): void {
    const head = Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  /** Takes nothing from the connection any more. */
  stopReading(): void {
    this.#socket.pause();
  }

  readAgain(): void {
    this.#socket.resume();
  }

  /** Leaves without a word, as a client does whose network is gone. */
  cut(): void {
    this.#socket.destroy();
  }
}
