import fc from "fast-check";
import { expect, test } from "vitest";
import { EventParser } from "../../../client/follow/event-parser.ts";

test("events are the same in whatever pieces their text comes, and with any line ends", () => {
  const data = fc.array(fc.stringMatching(/^[ -~]{0,12}$/), { minLength: 1, maxLength: 3 });
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  const events = fc.array(fc.record({ data, comment: fc.boolean() }), { maxLength: 6 });
  fc.assert(
    fc.property(events, lineEnd, fc.array(fc.nat(12)), (all, end, cuts) => {
      const text = all
        .map(({ data: lines, comment }) => {
          const said = [
            ...(comment ? [": still here"] : []),
            "id: x",
            "event: items",
            ...lines.map((line) => `data: ${line}`),
          ];
          return said.map((line) => line + end).join("") + end;
        })
        .join("");
      const told: string[] = [];
      const parser = new EventParser((event) => told.push(event));
      let rest = text;
      for (const cut of cuts) {
        parser.push(rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      parser.push(rest);
      // A CR at the very end may be half of a CRLF: what comes next tells.
      parser.push(": next");
      expect(told).toEqual(all.map(({ data: lines }) => lines.join("\n")));
    }),
  );
});

test("a comment, and an event without data, are nothing", () => {
  const told: string[] = [];
  const parser = new EventParser((event) => told.push(event));
  parser.push(": still here\n\nretry: 2000\n\nid: a\nevent: items\n\ndata:x\n\ndata\n\n");
  expect(told).toEqual(["x"]);
});
