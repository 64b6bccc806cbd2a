/** One line that grows in place on a terminal; elsewhere the last state alone. */
export class Progress {
  readonly #label: string;
  readonly #total: number;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
  }

  readonly report = (done: number): void => {
    const finished = done === this.#total;
    if (!process.stdout.isTTY && !finished) return;
    const start = process.stdout.isTTY ? "\r" : "";
    const width = String(this.#total).length;
    const count = `${String(done).padStart(width)} of ${this.#total}`;
    process.stdout.write(`${start}${this.#label.padEnd(14)} ${count}${finished ? "\n" : ""}`);
  };
}
