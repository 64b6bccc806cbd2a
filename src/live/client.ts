import type {
  ConnectQuery,
  ConnectRefusal,
  FeedFigures,
  FeedRpc,
  Holder,
} from "../../durable-objects/feed/rpc.ts";
import { type Clock, within } from "../lib/clock.ts";
import { describeError, type Logger } from "../lib/log.ts";
import { Problem } from "../lib/problem.ts";
import type { Objects } from "../objects.ts";

/** The feed objects, as the Worker calls them. */
export interface Feeds {
  /**
   * A WebSocket of a feed, not accepted yet.
   * @param number of the feed; absent: one that has room
   * @throws {Problem} `feed-full`, `feed-unavailable`.
   */
  connect(query: ConnectQuery, number?: number): Promise<WebSocket>;
  /** @throws {Problem} likewise */
  issueTicket(holder: Holder): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
  /** Whom a ticket was issued to, and the feed that has it; null where it is not good. @throws {Problem} */
  redeemTicket(ticket: string): Promise<{ readonly holder: Holder; readonly feed: number } | null>;
  /** Of every feed; null for one that fails, or does not answer in time. */
  figures(): Promise<readonly (FeedFigures | null)[]>;
}

export interface FeedsHost {
  readonly objects: Objects;
  readonly count: number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface FeedObject extends FeedRpc {
  fetch(url: string, init: { readonly headers: Record<string, string> }): Promise<ConnectAnswer>;
}

/** What is used of a `Response`. */
interface ConnectAnswer {
  readonly webSocket: WebSocket | null;
  json(): Promise<unknown>;
}

/** Feeds that are tried where one has no room. */
const mostTries = 3;
/** Longest wait for figures, in milliseconds. */
const longestFiguresMs = 2_000;

export function createFeeds({ objects, count, random, clock, logger }: FeedsHost): Feeds {
  const object = (number: number) => objects.getByName(`feed/${number}`) as FeedObject;
  const call = async <Answer>(
    number: number,
    operation: (feed: FeedObject) => Promise<Answer>,
  ): Promise<Answer> => {
    try {
      return await operation(object(number));
    } catch (error) {
      throw unavailable(error);
    }
  };

  /** From a feed chosen at random on, as many as are tried. */
  const candidates = (): number[] => {
    const first = Math.floor(random() * count);
    return Array.from({ length: Math.min(mostTries, count) }, (_, index) => (first + index) % count);
  };

  const open = async (query: ConnectQuery, number: number): Promise<WebSocket | ConnectRefusal> => {
    const url = `https://feed/?query=${encodeURIComponent(JSON.stringify(query))}`;
    const answer = await call(number, (feed) => feed.fetch(url, { headers: { upgrade: "websocket" } }));
    return answer.webSocket ?? ((await answer.json()) as ConnectRefusal);
  };

  return {
    async connect(query, number) {
      for (const candidate of number === undefined ? candidates() : [number]) {
        const opened = await open(query, candidate);
        if (!("kind" in opened)) return opened;
        logger("warn", "feed-refused", { feed: candidate, reason: opened.kind });
        if (opened.kind === "unavailable") throw unavailable(undefined);
      }
      throw full();
    },

    async issueTicket(holder) {
      const [number = 0] = candidates();
      const answer = await call(number, (feed) => feed.issueTicket(holder));
      if (answer.kind === "full") throw full();
      return answer;
    },

    async redeemTicket(ticket) {
      const [, number] = /^(\d{1,5})\.[A-Za-z0-9_-]{32}$/.exec(ticket) ?? [];
      // Which of all objects is asked is not for the client to say.
      if (number === undefined || Number(number) >= count) return null;
      const holder = await call(Number(number), (feed) => feed.redeemTicket(ticket));
      return holder === null ? null : { holder, feed: Number(number) };
    },

    figures: () =>
      Promise.all(Array.from({ length: count }, (_, number) => figuresOf(object(number), clock))),
  };
}

async function figuresOf(feed: FeedObject, clock: Clock): Promise<FeedFigures | null> {
  const asked = feed.figures().catch(() => null);
  return (await within(clock, longestFiguresMs, asked)) ?? null;
}

function full(): Problem {
  return new Problem("feed-full", "There are as many live connections as are taken");
}

function unavailable(cause: unknown): Problem {
  const more = cause === undefined ? {} : { cause: describeError(cause) };
  return new Problem("feed-unavailable", "What tells the items' changes does not answer", more);
}
