import { createServer } from "node:net";

const lowest = 20_000;
const highest = 32_000;

/**
 * Ports of 127.0.0.1 that nobody listens on. They lie below the range from which systems take
 * ports for outgoing connections: a killed broker's port is to be free when it starts again, and
 * a client that keeps connecting to a port of that range will one day be given it for its own end.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Whether a port of 127.0.0.1 can be listened on. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
