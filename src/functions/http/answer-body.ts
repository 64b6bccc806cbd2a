/** What came of a body: all of it, more than is read, or its connection or time ended first. */
export type AnswerBody =
  | { readonly kind: "whole"; readonly text: string }
  | { readonly kind: "too-long" }
  | { readonly kind: "cut" };

/**
 * Reads an answer's body, at most `limit` bytes of it: whoever answers may send without an end. One
 * that sends nothing is ended by the signal that the call was made with, as the call itself is.
 */
export async function readAnswerBody(response: Response, limit: number): Promise<AnswerBody> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return { kind: "whole", text: "" };
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > limit) {
        // Ends the connection, whose fate is of no interest.
        reader.cancel().catch(() => undefined);
        return { kind: "too-long" };
      }
      text += decoder.decode(next.value, { stream: true });
    }
  } catch {
    return { kind: "cut" };
  }
  return { kind: "whole", text: text + decoder.decode() };
}

/** Lets an answer's body go unread, and its connection with it. */
export function dropAnswerBody(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}
