export type SpanAttributes = Readonly<Record<string, string | number>>;

/** Spans of the runtime's own tracing, where it has one and samples what goes on. */
export interface Spans {
  /**
   * Runs `body` in a span, which ends when it returns, or when what it returns settles.
   * @param attributes asked only where the span is recorded
   */
  run<Result>(name: SpanName, attributes: () => SpanAttributes, body: () => Result): Result;
}

/** The steps of an event that take time. */
export type SpanName = "gavel.produce" | "gavel.push" | "gavel.apply";

export const noSpans: Spans = { run: (_name, _attributes, body) => body() };
