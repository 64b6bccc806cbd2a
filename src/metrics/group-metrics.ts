import { isSilent, type PartitionView, type ToldPartition } from "../groups/view.ts";
import type { Labels, MetricFamily } from "./exposition.ts";

type Sample = readonly [labels: Labels, value: number];
/** A sample for each topic that the partition reads, or one for the partition; null: not known. */
type Found = readonly (readonly [labels: Labels, value: number | null])[];

interface Figure extends Pick<MetricFamily, "help" | "name" | "type"> {
  readonly of: (view: PartitionView) => Found;
}

const figures: readonly Figure[] = [
  ofTopics("lag_records", "Records not read yet; offsets without one count.", ({ lag }) => lag),
  ofTopics("lag_seconds", "Age of the oldest record that is not read yet.", ({ lagMs }) =>
    lagMs === null ? null : lagMs / 1_000,
  ),
  ofTopics("position", "Next offset to be read.", ({ position }) => position),
  ofPartition(
    "function_lag_records",
    "Records that the function which is furthest behind has still to read; offsets without one count.",
    ({ functionLag }) => functionLag,
  ),
  ofPartition("oldest_offset", "Lowest offset that some function has not finished.", ({ oldest }) => oldest),
  ofPartition("parked_records", "Records that wait for a retry, or behind one.", ({ parked }) => parked),
  ofPartition("calls_in_flight", "Calls of functions under way.", ({ functions }) =>
    functions.reduce((sum, { inFlight }) => sum + inFlight, 0),
  ),
  ofPartition(
    "circuits_open",
    "Functions whose circuit is open.",
    ({ functions }) => functions.filter(({ circuit }) => circuit !== undefined).length,
  ),
  ofPartition("outbox_records", "Outputs that the log has not acknowledged.", ({ outbox }) => outbox),
  ofPartition("paused", "1 while an operator holds the partition.", ({ paused }) => Number(paused)),
  ofPartition("stalled", "1 while the partition cannot move by itself.", ({ stalled }) =>
    Number(stalled !== undefined),
  ),
  {
    ...ofPartition("dead_lettered_total", "Records that ended as dead letters.", (view) => view.deadLettered),
    type: "counter",
  },
  {
    ...ofPartition("lost_offsets_total", "Offsets that the log deleted before they were read.", (view) => {
      return view.lostOffsets;
    }),
    type: "counter",
  },
];

/** Figures of every partition of every group. What is not known has no sample. */
export function groupMetrics(told: readonly ToldPartition[]): MetricFamily[] {
  const up = told.map((one): Sample => [
    { group: one.group, partition: one.partition },
    Number(!isSilent(one)),
  ]);
  const views = told.filter((one): one is PartitionView => !isSilent(one));
  return [
    { name: "gavel_group_up", help: "1 where the partition's object answers.", type: "gauge", samples: up },
    ...figures.map(({ of, ...family }) => ({ ...family, samples: views.flatMap(of).filter(isKnown) })),
  ];
}

function isKnown(sample: Found[number]): sample is Sample {
  return sample[1] !== null;
}

function ofPartition(name: string, help: string, valueOf: (view: PartitionView) => number | null): Figure {
  return figure(name, help, (view) => [[{ group: view.group, partition: view.partition }, valueOf(view)]]);
}

function ofTopics(
  name: string,
  help: string,
  valueOf: (topic: PartitionView["topics"][number]) => number | null,
): Figure {
  return figure(name, help, ({ group, partition, topics }) =>
    topics.map((read) => [{ group, topic: read.topic, partition }, valueOf(read)]),
  );
}

function figure(name: string, help: string, of: Figure["of"]): Figure {
  return { name: `gavel_group_${name}`, help, type: "gauge", of };
}
