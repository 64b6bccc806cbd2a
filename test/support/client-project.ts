import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
);

/** A project of somebody else, with the packed client installed and nothing else of Gavel's. */
export class ClientProject {
  readonly folder = mkdtempSync(join(tmpdir(), "gavel-client-"));
  /** The client's one module. */
  readonly module = join(this.folder, "node_modules", "gavel", "dist", "client", "index.js");

  /** As `npm pack` and `npm install` of what it made would do, without a registry. */
  install(): void {
    const installed = join(this.folder, "node_modules", "gavel");
    mkdirSync(installed, { recursive: true });
    this.run("npm", ["pack", "--silent", "--pack-destination", this.folder], {}, root);
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    this.run("tar", ["-xzf", `gavel-${version}.tgz`, "--strip-components=1", "-C", installed]);
    this.write("package.json", JSON.stringify({ type: "module" }));
  }

  /** Node's types, as an app for Node has them. */
  installNodeTypes(): void {
    mkdirSync(join(this.folder, "node_modules", "@types"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      cpSync(join(root, "node_modules", name), join(this.folder, "node_modules", name), { recursive: true });
    }
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** What the compiler has to say of a file, which is nothing where all is well. */
  compile(file: string, options: object): string {
    const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, ...options };
    this.write("tsconfig.json", JSON.stringify({ compilerOptions, files: [file] }));
    return this.run(process.execPath, [compiler, "-p", "tsconfig.json"]);
  }

  /** What a program printed. @throws {Error} where it failed */
  run(
    command: string,
    args: readonly string[],
    variables: Record<string, string> = {},
    cwd = this.folder,
  ): string {
    const env = { ...process.env, ...variables };
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd,
      env,
      encoding: "utf8",
      timeout: 120_000,
    });
    if (status === 0) return stdout;
    throw new Error(`${command} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
