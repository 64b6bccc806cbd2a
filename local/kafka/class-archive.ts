import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { JvmOptions } from "./jvm.ts";
import { KafkaNode } from "./node.ts";
import { freePorts } from "./ports.ts";

/**
 * An archive of the classes that a broker loads, as this Java reads them: with it a broker starts
 * in about half the time (docs/local.md has the figures). A broker that is started and ended for
 * the purpose writes it, once per Java version; it lies beside the jars, whose paths it holds.
 */
export async function classArchive(jvm: JvmOptions): Promise<string> {
  const cache = dirname(jvm.libraries);
  const archive = join(cache, `classes-${jvm.java.version}.jsa`);
  if (existsSync(archive)) return archive;
  const aside = mkdtempSync(join(cache, "archiving-"));
  try {
    const draft = join(aside, "classes.jsa");
    await runOnce(aside, { ...jvm, flags: [`-XX:ArchiveClassesAtExit=${draft}`, "-Xlog:cds=off"] });
    renameSync(draft, archive);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return archive;
}

async function runOnce(directory: string, jvm: JvmOptions): Promise<void> {
  const [port = 0, controller = 0] = await freePorts(2);
  const node = new KafkaNode({
    directory: join(directory, "node"),
    clusterId: "gavel-class-archive-00",
    properties: {
      id: 1,
      ports: { PLAINTEXT: port },
      controllers: new Map([[1, controller]]),
      users: {},
      settings: {},
    },
    jvm,
    removedWithParent: directory,
  });
  await node.prepare();
  await node.start();
  await node.stop();
}
