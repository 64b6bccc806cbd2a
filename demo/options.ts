import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export const usage = `npm run demo [-- options]

Replays 492 real eBay auctions through a Gavel of its own and compares the closing prices.

  --file <path>      another file of the same form (demo/ebay-auctions.csv)
  --picture <path>   where to draw one auction (docs/images/auction.svg)
  --auction <id>     the auction to draw (8212629520, or the one with most bids)
  --kafka host:port[,host:port]
                     put this Kafka behind the bridge; each run makes topics of its own there
  --help             this text
`;

export interface DemoOptions {
  readonly file: string;
  readonly picture: string;
  /** Absent: the default auction where the file has it. */
  readonly auction?: string;
  /** `host:port` of the Kafka to run on. Absent: an embedded log that goes with the demo. */
  readonly kafka?: readonly string[];
}

/** Reads the command line. @throws {TypeError} for an option that is not known. */
export function readOptions(args: readonly string[]): DemoOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: "string" },
      picture: { type: "string" },
      auction: { type: "string" },
      kafka: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  return {
    file: resolve(values.file ?? join(import.meta.dirname, "ebay-auctions.csv")),
    picture: resolve(values.picture ?? join(import.meta.dirname, "..", "docs", "images", "auction.svg")),
    ...(values.auction === undefined ? {} : { auction: values.auction }),
    ...(values.kafka === undefined ? {} : { kafka: values.kafka.split(",") }),
  };
}
