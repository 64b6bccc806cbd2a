/**
 * A text that must not be printed. What shows an object (`JSON.stringify`, `util.inspect`, a
 * template) finds only a placeholder; the text comes out by name alone, so a search for `reveal`
 * finds every use.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}
