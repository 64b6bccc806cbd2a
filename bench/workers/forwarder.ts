import { Hono } from "hono";

interface Env {
  readonly KAFKA_URL: string;
  readonly KAFKA_USERNAME: string;
  readonly KAFKA_PASSWORD: string;
}

/** The least that puts a record into the log: hands the body on by one `fetch`, and answers 202. */
const app = new Hono<{ Bindings: Env }>();

app.post("/*", async (context) => {
  const { KAFKA_URL, KAFKA_USERNAME, KAFKA_PASSWORD } = context.env;
  const answer = await fetch(`${KAFKA_URL}/produce`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${KAFKA_USERNAME}:${KAFKA_PASSWORD}`)}`,
      "content-type": "application/json",
    },
    body: await context.req.arrayBuffer(),
  });
  return context.body(await answer.text(), answer.status === 200 ? 202 : 502);
});

export default { fetch: app.fetch, scheduled: () => undefined };
