import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The machine and the versions behind every figure, and how busy it was beforehand. */
export function describeMachine(): string {
  const [first] = cpus();
  const load = loadavg().map((value) => value.toFixed(2));
  const versions = ["workerd", "miniflare", "hono", "@upstash/kafka"].map(
    (name) => `${name} ${versionOf(name)}`,
  );
  return [
    `${cpus().length} × ${first?.model.trim() ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()} ${arch()}`,
    `Node ${process.versions.node}, SQLite ${process.versions["sqlite"] ?? "?"}, ${versions.join(", ")}, commit ${commit()}`,
    `load average before: ${load.join(" ")} (over 0.5 on a quiet machine means that something else is running)`,
  ].join("\n");
}

function versionOf(name: string): string {
  const start = name === "workerd" ? createRequire(require.resolve("miniflare")) : require;
  for (let directory = dirname(start.resolve(name)); ; directory = dirname(directory)) {
    const version = versionIn(directory, name);
    if (version !== undefined || directory === dirname(directory)) return version ?? "?";
  }
}

function versionIn(directory: string, name: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Record<
      string,
      string
    >;
    return manifest["name"] === name ? manifest["version"] : undefined;
  } catch {
    return undefined;
  }
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      encoding: "utf8",
      cwd: import.meta.dirname,
    }).trim();
  } catch {
    return "unknown";
  }
}
