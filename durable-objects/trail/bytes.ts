/** Writes whole numbers as bytes, seven bits each, so that small ones take one. */
export class ByteWriter {
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1_024);
  private end = 0;

  get length(): number {
    return this.end;
  }

  byte(value: number): void {
    if (this.end === this.bytes.length) this.grow(this.end + 1);
    this.bytes[this.end] = value;
    this.end += 1;
  }

  /** @param value not negative, up to 2^53-1 */
  whole(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  /** @param value of either sign, up to 2^52-1: small ones take one byte */
  signed(value: number): void {
    this.whole(value < 0 ? -2 * value - 1 : 2 * value);
  }

  all(bytes: Uint8Array): void {
    if (this.end + bytes.length > this.bytes.length) this.grow(this.end + bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  private grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.end);
  }

  clear(): void {
    this.end = 0;
  }
}

/** Reads what `ByteWriter` wrote, in the same order. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new RangeError("there are no more bytes");
    this.at += 1;
    return value;
  }

  whole(): number {
    let value = 0;
    for (let place = 1; ; place *= 0x80) {
      const part = this.byte();
      value += (part & 0x7f) * place;
      if (part < 0x80) return value;
    }
  }

  signed(): number {
    const value = this.whole();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
