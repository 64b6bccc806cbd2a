/** `npm start`: runs Gavel on this machine. How it hangs together: docs/local.md. */
import { join } from "node:path";
import type { BridgeStart, GatewayStart, LogChoice } from "./child-protocol.ts";
import { firstAuction } from "./first-auction.ts";
import { claimHome, type Home, type LocalFile, openHome, readSecrets, writeLocalFile } from "./home.ts";
import { findKafka } from "./kafka/find.ts";
import { endLeftovers } from "./leftovers.ts";
import { bindLog } from "./log-of-home.ts";
import { exitWith } from "./problem.ts";
import { untilReady } from "./readiness.ts";
import { installRuntimeLauncher } from "./runtime-launcher.ts";
import { readSettings, type Settings, usage } from "./settings.ts";
import { SupervisedChild } from "./supervised.ts";
import { declaredTopics, readVariables, secretVariables } from "./variables.ts";
import { prepareWorkerBundle } from "./worker-bundle.ts";

type Stoppable = Pick<SupervisedChild<BridgeStart>, "stop">;

main().catch(exitWith);

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === "help") {
    process.stdout.write(usage);
    return;
  }
  const home = openHome(settings.home);
  const claim = claimHome(home);
  const children: Stoppable[] = [];
  const stopping = stopOnSignal(children, () => claim.close());
  try {
    await run(settings, home, children);
  } catch (error) {
    // A start that is cut short by a signal fails because of it: that is no error to tell.
    if (stopping.aborted) return;
    await stopAll(children);
    throw error;
  }
}

async function run(settings: Settings, home: Home, children: Stoppable[]): Promise<void> {
  const { bridge: credentials, keys, subjects } = readSecrets(home);
  await endLeftovers(home.run, ["bridge", "gateway", "workerd"]);
  const log = await chooseLog(settings, home);
  const bundle = join(home.run, "worker");
  await prepareWorkerBundle(bundle);
  const variables = readVariables(bundle, process.env);

  const bridge = new SupervisedChild<BridgeStart>({
    name: "bridge",
    script: join(import.meta.dirname, "bridge.ts"),
    runDirectory: home.run,
    leavesBehind: ["bridge"],
    portVariable: "BRIDGE_PORT",
    start: { port: settings.bridgePort, log, topics: declaredTopics(variables), ...credentials },
  });
  children.push(bridge);
  const bridgeUrl = await bridge.start();

  const secrets = secretVariables({ bridge: credentials, keys, subjects }, bridgeUrl);
  const gateway = new SupervisedChild<GatewayStart>({
    name: "gateway",
    script: join(import.meta.dirname, "gateway.ts"),
    runDirectory: home.run,
    leavesBehind: ["gateway", "workerd"],
    portVariable: "PORT",
    start: {
      port: settings.port,
      bundle,
      objects: home.objects,
      runtime: installRuntimeLauncher(home.run),
      variables: { ...variables, ...secrets },
    },
  });
  children.unshift(gateway);
  const url = await gateway.start();

  await untilReady(url);
  const local = { url, bridge: { url: bridgeUrl, ...credentials }, keys, subjects };
  writeLocalFile(home, local);
  report(home, local, log);
}

/** The log behind the bridge. @throws {PlainError} when it cannot be found, or is not this home's. */
async function chooseLog({ kafka }: Settings, home: Home): Promise<LogChoice> {
  if (kafka === null) {
    bindLog(home, { kind: "sqlite" });
    return { kind: "sqlite", file: home.log };
  }
  const cluster = await findKafka(kafka);
  bindLog(home, { kind: "kafka", clusterId: cluster.id });
  return { kind: "kafka", brokers: kafka, replicas: Math.min(3, cluster.brokers.size) };
}

/** SIGINT, SIGTERM and a closed terminal end everything in order; a second one does not hurry it. */
function stopOnSignal(children: readonly Stoppable[], release: () => void): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    void stopAll(children).then(() => {
      release();
      process.exit(0);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  return stopping.signal;
}

/** One after the other, as listed: the gateway before the log that it writes to. */
async function stopAll(children: readonly Stoppable[]): Promise<void> {
  for (const child of children) await child.stop();
}

function report(home: Home, local: LocalFile, log: LogChoice): void {
  const behind = log.kind === "sqlite" ? "the embedded log" : `Kafka at ${log.brokers.join(", ")}`;
  console.log(`
Gavel is ready.

  gateway   ${local.url}
  bridge    ${local.bridge.url} (${behind}, in Upstash's REST protocol)
  state     ${home.directory}
  keys      ${home.localFile}

A first auction, to paste into another terminal:

${firstAuction(local, Date.now())}

Ctrl-C ends it; nothing that was acknowledged is lost.
`);
}
