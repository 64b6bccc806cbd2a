/** Hears what the runtime traces of the Worker that is tested, as a streaming tail Worker, and tells it to the test. */

interface TailEvent {
  readonly event: {
    readonly type: string;
    readonly name?: string;
    readonly spanId?: string;
    readonly info?: readonly { readonly name: string; readonly value: unknown }[];
  };
  readonly spanContext: { readonly spanId?: string };
}

interface Heard {
  readonly name: string;
  readonly attributes: Record<string, unknown>;
  isClosed: boolean;
}

const spans: Heard[] = [];

export default {
  fetch: (): Response => Response.json(spans),
  tailStream(): (event: TailEvent) => void {
    const open = new Map<string | undefined, Heard>();
    return ({ event, spanContext }) => {
      if (event.type === "spanOpen" && event.name?.startsWith("gavel.") === true) {
        const span = { name: event.name, attributes: {}, isClosed: false };
        open.set(event.spanId, span);
        spans.push(span);
      }
      const span = open.get(spanContext.spanId);
      if (span === undefined) return;
      if (event.type === "spanClose") span.isClosed = true;
      if (event.type === "attributes")
        for (const { name, value } of event.info ?? []) span.attributes[name] = value;
    };
  },
};
