import type { ItemState } from "../types.ts";

/** An item's latest state, as everybody who follows it is told it: without its terms. */
export type LiveItem = KnownItem | UnknownItem;

export interface KnownItem extends Omit<ItemState, "item"> {
  /** Rises with every change. */
  readonly sequence: number;
}

/** There is no such item, or it finished long ago. It is told once it is listed. */
export interface UnknownItem extends Pick<ItemState, "itemId" | "partition" | "position" | "asOf"> {
  readonly sequence: 0;
  readonly status: "unknown";
}

/** What the gateway says on a live connection. Source: docs/live.md. */
export interface LiveMessage {
  /** Counts the messages of a connection: what is acknowledged. */
  readonly number: number;
  /** Where whoever has it is: what a connection goes on from. */
  readonly id: string;
  readonly items: readonly LiveItem[];
}

/** Undefined for what is no message of this form: one of a newer gateway, say. */
export function readMessage(text: string): LiveMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isItems =
    typeof message === "object" && message !== null && "type" in message && message.type === "items";
  return isItems ? (message as LiveMessage) : undefined;
}
