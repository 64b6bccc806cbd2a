import { z } from "zod";
import type { Command } from "../command.ts";
import { counted, duration } from "../format.ts";
import { option, parameter } from "../read.ts";
import { printable, table } from "../table.ts";

const place = z.looseObject({ topic: z.string(), partition: z.number(), offset: z.number() });
const time = z.string().nullable();

/** Source: docs/api.md, "Following an event". */
const lineageAnswer = z.looseObject({
  type: z.string(),
  itemId: z.string(),
  traceId: z.string().nullable(),
  accepted: z
    .looseObject({ at: z.string(), credential: z.string(), country: z.string().optional() })
    .nullable(),
  record: place,
  applied: z.looseObject({
    group: z.string(),
    partition: z.number(),
    status: z.string(),
    at: time,
    outcome: z.looseObject({ status: z.string(), reason: z.string().optional() }).optional(),
    decidedBy: z.looseObject({ position: z.number(), at: z.string() }).optional(),
  }),
  produced: z.array(place.extend({ type: z.string(), at: time })),
  totals: z.looseObject({ produced: z.number(), unsent: z.number() }),
  invoked: z.array(
    z.looseObject({
      group: z.string(),
      partition: z.number(),
      function: z.string().optional(),
      status: z.string(),
      attempts: z.number().optional(),
      endedAt: z.string().optional(),
      startedAt: z.string().optional(),
    }),
  ),
});
type LineageAnswer = z.output<typeof lineageAnswer>;

const columns = [
  { title: "AFTER" },
  { title: "STEP" },
  { title: "WHERE", isCut: "late" },
  { title: "WHAT", isCut: "late" },
] as const;

export const lineage: Command = {
  name: "lineage",
  summary: "Follows an event, from its request to the last function",
  parameters: "<event id>",
  least: 1,
  most: 1,
  options: { source: { type: "string" }, item: { type: "string" }, subject: { type: "string" } },
  help: `Times count from when the edge accepted it; one that nobody knows any more
is "?".
  --item <id>       asks the item's partition alone
  --source <text>   of several events with the id, the one of this source
  --subject <text>  of several events with the id, the one of this sender;
                    "" for a back end's`,
  async run(call) {
    const query = new URLSearchParams();
    for (const name of ["source", "item", "subject"]) {
      const text = option(call, name);
      if (text !== undefined) query.set(name, text);
    }
    const path = `/v1/events/${encodeURIComponent(parameter(call, 0))}/lineage?${query.toString()}`;
    const answer = await call.gateway.request(lineageAnswer, "GET", path);
    const { itemId, traceId, type } = answer;
    const title = printable(`${type} of ${itemId}, trace ${traceId ?? "unknown"}`);
    const text = `${title}\n${table(columns, rowsOf(answer), call.width)}${notesOf(answer)}`;
    return { text, json: answer };
  },
};

/** What of the events that it made is not among those listed. */
function notesOf({ produced, totals }: LineageAnswer): string {
  const are = (count: number, what: string): string =>
    count > 0 ? `\n${counted(count, "event")} of it ${count === 1 ? "is" : "are"} not ${what}.\n` : "";
  const more = totals.produced - totals.unsent - produced.length;
  return are(totals.unsent, "in the log yet") + are(more, "listed");
}

function rowsOf({ accepted, record, applied, produced, invoked }: LineageAnswer): string[][] {
  const after = (at: string | null | undefined): string => {
    if (at == null || accepted === null) return "?";
    return duration(Date.parse(at) - Date.parse(accepted.at));
  };
  const { decidedBy, outcome } = applied;
  const decided = decidedBy === undefined ? "" : `, decided by ${decidedBy.position}`;
  const became = [
    outcome?.status ?? applied.status,
    ...(outcome?.reason === undefined ? [] : [outcome.reason]),
  ];
  return [
    ...(accepted === null
      ? []
      : [[after(accepted.at), "accepted", accepted.country ?? "", `by ${accepted.credential}`]]),
    ["", "recorded", placeOf(record), ""],
    [
      after(decidedBy?.at ?? applied.at),
      "applied",
      `${applied.group}/${applied.partition}`,
      became.join(": ") + decided,
    ],
    ...produced.map((output) => [after(output.at), "produced", placeOf(output), output.type]),
    ...invoked.map((made) => [
      made.attempts === 0 ? "" : after(made.endedAt ?? made.startedAt),
      "invoked",
      `${made.group}/${made.partition}`,
      callOf(made),
    ]),
  ];
}

function callOf({ attempts = 0, function: name = "?", status }: LineageAnswer["invoked"][number]): string {
  return `${status}${attempts === 0 ? "" : `, ${counted(attempts, "attempt")}`}: ${name}`;
}

function placeOf({ topic, partition, offset }: z.output<typeof place>): string {
  return `${topic}/${partition}/${offset}`;
}
