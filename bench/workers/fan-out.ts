import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly FAN_OUT: DurableObjectNamespace<FanOut>;
}

/** The least that tells many what one says: an object that sends what it is handed to every WebSocket. */
export class FanOut extends DurableObject<Env> {
  override async fetch(request: Request): Promise<Response> {
    if (request.method === "POST") {
      const message = await request.text();
      for (const socket of this.ctx.getWebSockets()) socket.send(message);
      return new Response(null, { status: 202 });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Acknowledgements come here as well, so that both sides of the comparison are sent as much. */
  override webSocketMessage(): void {}
}

export default {
  fetch: (request, env) => env.FAN_OUT.getByName("feed").fetch(request),
  scheduled: () => undefined,
} satisfies ExportedHandler<Env>;
