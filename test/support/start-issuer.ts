import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where an issuer of tokens serves its public keys, for the tests that run in the Workers runtime. */
    issuerUrl: string;
  }
}

/**
 * An issuer's key set on loopback: what is PUT under a name is what GET answers there, with the
 * status in `?status=`, after `?delay=` milliseconds; `GET /count/{name}` tells how often it was read.
 */
export default async function startIssuer(project: TestProject): Promise<() => Promise<void>> {
  const sets = new Map<string, { body: string; status: number; delay: number; reads: number }>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://issuer");
    const name = url.pathname.split("/").at(-1) ?? "";
    const set = sets.get(name);
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      if (request.method === "PUT") {
        const number = (parameter: string, without: number) =>
          Number(url.searchParams.get(parameter) ?? without);
        sets.set(name, {
          body,
          status: number("status", 200),
          delay: number("delay", 0),
          reads: set?.reads ?? 0,
        });
        response.end();
      } else if (url.pathname.startsWith("/count/")) {
        response.end(String(set?.reads ?? 0));
      } else {
        if (set !== undefined) set.reads += 1;
        const answer = () => response.writeHead(set?.status ?? 404).end(set?.body);
        setTimeout(answer, set?.delay ?? 0);
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  project.provide("issuerUrl", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  };
}
