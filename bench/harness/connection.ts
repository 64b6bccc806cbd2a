import { connect, type Socket } from "node:net";

/** An answer as the load client needs it. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** The Workers runtime closes a connection after 15 s without a request, whatever is on its way to it. */
const longestIdleMs = 10_000;

const headEnd = Buffer.from("\r\n\r\n");

/**
 * One keep-alive HTTP/1.1 connection that sends one request at a time, as the bytes it is given.
 * The client shares its cores with what it measures, so it parses no more of an answer than its
 * status and its length. Chunked answers are refused: none of those measured here is one.
 */
export class Connection {
  readonly #url: string;
  #socket: Socket | undefined;
  /** When it was opened or last had an answer. */
  #usedAt = 0;
  #chunks: Buffer[] = [];
  /** Of all chunks. */
  #length = 0;
  /** How many bytes the answer has with its head; 0 until that is known. */
  #wanted = 0;
  #settle:
    | { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }
    | undefined;

  private constructor(url: string) {
    this.#url = url;
  }

  static async open(url: string): Promise<Connection> {
    const connection = new Connection(url);
    await connection.#open();
    return connection;
  }

  #open(): Promise<Socket> {
    const { hostname, port } = new URL(this.#url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      socket.on("error", (error) => {
        reject(error);
        this.#lose(socket, error);
      });
      socket.on("data", (chunk) => this.#take(chunk));
      socket.on("close", () => this.#lose(socket, new Error("the server closed the connection")));
      socket.once("connect", () => {
        this.#keep(Buffer.alloc(0));
        this.#socket = socket;
        this.#usedAt = performance.now();
        resolve(socket);
      });
    });
  }

  /** On a new connection where the server has closed this one, or may be about to. */
  async send(request: string): Promise<Answer> {
    if (performance.now() - this.#usedAt > longestIdleMs) this.close();
    const socket = this.#socket ?? (await this.#open());
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      socket.write(request, "latin1");
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  /** A socket that was left behind concerns nobody. */
  #lose(socket: Socket, reason: Error): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#settle?.reject(reason);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // A large answer comes in many pieces, which are put together once.
    if (this.#length < this.#wanted) return;
    const received = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length);
    this.#keep(received);
    const end = received.indexOf(headEnd);
    if (end === -1) return;
    const head = received.toString("latin1", 0, end + 2);
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
    const status = Number(head.slice(9, 12));
    if (length === undefined && status !== 204) throw new Error(`an answer without a length: ${head}`);
    const whole = end + 4 + Number(length ?? 0);
    this.#wanted = whole;
    if (received.length < whole) return;
    const body = received.subarray(end + 4, whole);
    this.#keep(received.subarray(whole));
    const settle = this.#settle;
    this.#settle = undefined;
    this.#usedAt = performance.now();
    settle?.resolve({ status, body });
  }

  /** What is left to look at, of which nothing is known. */
  #keep(received: Buffer): void {
    this.#chunks = received.length === 0 ? [] : [received];
    this.#length = received.length;
    this.#wanted = 0;
  }
}

/** Makes requests whose head is the same but for the body's length. Bodies are ASCII. */
export function requestMaker(
  method: "GET" | "POST" | "DELETE",
  url: string,
  headers: Readonly<Record<string, string>>,
): (body: string) => string {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}`;
  return (body) => (body === "" ? `${head}\r\n` : `${head}content-length: ${body.length}\r\n\r\n${body}`);
}
