/** A bare `node:http` server that reads each body and answers 202: what the load client can do at best. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  request.resume();
  request.once("end", () => response.writeHead(202, { "content-length": "2" }).end("{}"));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object")
    process.send?.({ kind: "ready", url: `http://127.0.0.1:${address?.port}` });
});
process.once("SIGTERM", () => process.exit(0));
process.once("disconnect", () => process.exit(0));
