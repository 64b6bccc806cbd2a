/** What a sample is of: label names and their values. */
export type Labels = Readonly<Record<string, string | number>>;

/** Samples of one name. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  /** A suffix goes behind the name: a histogram's samples have one. */
  readonly samples: readonly (readonly [labels: Labels, value: number, suffix?: string])[];
}

export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Figures in Prometheus's text format. A library's registry keeps figures between scrapes, and needs
 * Node; these are found anew at each, in objects that are elsewhere.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function exposition(families: readonly MetricFamily[]): string {
  return families.flatMap(linesOf).join("");
}

function linesOf({ name, help, type, samples }: MetricFamily): string[] {
  const head = [`# HELP ${name} ${escaped(help)}\n`, `# TYPE ${name} ${type}\n`];
  return [
    ...head,
    ...samples.map(([labels, value, suffix = ""]) => `${name}${suffix}${labelText(labels)} ${value}\n`),
  ];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${escaped(String(value)).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
