import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Home, openHome } from "../../local/home.ts";
import { bindLog } from "../../local/log-of-home.ts";

let home: Home;
beforeEach(() => {
  home = openHome(mkdtempSync(join(tmpdir(), "gavel-log-of-home-")));
});
afterEach(() => rmSync(home.directory, { recursive: true, force: true }));

const embedded = { kind: "sqlite" } as const;
const cluster = { kind: "kafka", clusterId: "one" } as const;
const another = { kind: "kafka", clusterId: "another" } as const;

describe("a home belongs to one log", () => {
  it.each([embedded, cluster])("the first that it is started on, again and again: %o", (log) => {
    bindLog(home, log);
    expect(() => bindLog(home, log)).not.toThrow();
  });

  it("and says in one sentence that it was made from its embedded log, when Kafka is put behind it", () => {
    bindLog(home, embedded);
    expect(() => bindLog(home, cluster)).toThrow(
      `what is in ${home.directory} was made from its embedded log, and not from the Kafka cluster one. ` +
        "Set GAVEL_HOME to another directory for a log of its own.",
    );
    expect(() => bindLog(home, embedded)).not.toThrow();
  });

  it("nor is it pointed at another cluster, or back at an embedded log", () => {
    bindLog(home, cluster);
    expect(() => bindLog(home, another)).toThrow(
      /was made from the Kafka cluster one, and not from .+ another\./,
    );
    expect(() => bindLog(home, embedded)).toThrow(/was made from the Kafka cluster one, .+ GAVEL_HOME/);
  });

  it("which is the embedded one where objects are from before homes told", () => {
    mkdirSync(home.objects);
    expect(() => bindLog(home, cluster)).toThrow(/was made from its embedded log/);
  });

  it("and a file that it did not write is named, not obeyed", () => {
    const file = join(home.directory, "log.json");
    for (const text of ["{}", "nonsense"]) {
      writeFileSync(file, text);
      expect(() => bindLog(home, embedded)).toThrow(`${file} is not what npm start wrote.`);
    }
  });
});
