/**
 * Server-sent events out of text that comes in any pieces: calls back with the data of each event.
 * Source: HTML, "Server-sent events", 9.2.6; ids and types are told in the data as well.
 */
export class EventParser {
  private rest = "";
  private data: string[] = [];
  private readonly onEvent: (data: string) => void;

  constructor(onEvent: (data: string) => void) {
    this.onEvent = onEvent;
  }

  push(text: string): void {
    // A CR at the very end may be half of a CRLF.
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") {
      if (this.data.length > 0) this.onEvent(this.data.join("\n"));
      this.data = [];
    } else if (line.startsWith("data:")) {
      this.data.push(line.slice(line.charAt(5) === " " ? 6 : 5));
    }
  }
}
