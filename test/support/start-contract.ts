import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { TestProject } from "vitest/node";
import { openApiDocument } from "../../contract/openapi.ts";
import { ContractChecker, type Exchange } from "./contract/checker.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where an exchange is held against the interface's document: the answer are its faults. */
    contractUrl: string;
  }
}

/** Checks in Node what the tests in the Workers runtime get: a validator compiles, which is forbidden there. */
export default async function startContract(project: TestProject): Promise<() => Promise<void>> {
  const checker = new ContractChecker(openApiDocument("0.0.0"));
  const server = createServer((request, response) => {
    void json(request)
      .then((exchange) => response.end(JSON.stringify(checker.faultsOf(exchange as Exchange))))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("contractUrl", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}
