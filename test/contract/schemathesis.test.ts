import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApiDocument } from "../../contract/openapi.ts";
import { operationsOf } from "../support/contract/reading.ts";
import { pythonTools } from "../support/python.ts";
import { type PreparedGavel, startPrepared } from "./support/prepared.ts";

const folder = mkdtempSync(join(tmpdir(), "gavel-schemathesis-"));
const answers = join(folder, "answers.jsonl");
const checks = [
  "nothing_fails",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
let tools: string;
let gavel: PreparedGavel | undefined;

beforeAll(async () => {
  tools = await pythonTools();
  gavel = await startPrepared();
}, 600_000);
afterAll(async () => {
  await gavel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs Schemathesis against the document that the gateway serves. */
async function schemathesis({ local, receiver, known }: PreparedGavel): Promise<{
  readonly code: number | null;
  readonly output: string;
}> {
  const options = ["--no-color", "--warnings", "off", "--seed", process.env["SEED"] ?? "1"];
  const bounds = ["--max-examples", process.env["RUNS"] ?? "15", "--request-timeout", "30"];
  const run = spawn(
    join(tools, "schemathesis"),
    [
      ...["run", `${local.url}/openapi.json`, ...options, ...bounds],
      // An answer that does not end is for the tests of what is live.
      ...["--exclude-operation-id", "getLive"],
      ...["--continue-on-failure", "--generation-database", "none", "--checks", checks.join(",")],
    ],
    {
      cwd: folder,
      env: {
        ...process.env,
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, "schemathesis", "hooks.py"),
        PYTHONDONTWRITEBYTECODE: "1",
        GAVEL_URL: local.url,
        GAVEL_KEYS: JSON.stringify(local.keys),
        GAVEL_RECEIVER: receiver.url,
        GAVEL_KNOWN: JSON.stringify(known),
        GAVEL_ANSWERS: answers,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [run.stdout, run.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(run, "close")) as [number | null];
  return { code, output };
}

/** Statuses by operation. */
function seen(): Map<string, Set<number>> {
  const statuses = new Map<string, Set<number>>();
  for (const line of readFileSync(answers, "utf8").trim().split("\n")) {
    const { operation, status } = JSON.parse(line) as { operation: string; status: number };
    statuses.set(operation, (statuses.get(operation) ?? new Set()).add(status));
  }
  return statuses;
}

test("whatever is sent by the document is answered as it says, and nothing fails; each operation's 2xx is reached", async () => {
  if (gavel === undefined) throw new Error("Gavel did not start");
  const { code, output } = await schemathesis(gavel);
  expect(output, output).toContain("No issues found");
  expect(code).toBe(0);
  const statuses = seen();
  const names = operationsOf(openApiDocument("0.0.0")).map(({ operation }) => operation.operationId);
  // It leaves out what it has read the document of.
  expect(output).toContain("Loaded specification");
  const own = names.filter((name) => !["getOpenApi", "getLive"].includes(name));
  const unreached = own.filter((name) => ![...(statuses.get(name) ?? [])].some((status) => status < 300));
  expect(unreached).toEqual([]);
  // Also what is wrong was sent: or it would show nothing that all of it was answered.
  const refused = new Set(
    [...statuses.values()].flatMap((each) => [...each]).filter((status) => status >= 400),
  );
  expect([...refused]).toEqual(expect.arrayContaining([400, 404, 405, 409, 415, 422]));
});
