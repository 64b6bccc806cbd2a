import type { BenchmarkOptions } from "../harness/figures.ts";
import type { KafkaBenchmark } from "../kafka/benchmark.ts";
import type { Setting } from "../kafka/setting.ts";
import { measureRates, rateFigures } from "./contest-rates.ts";
import { measureWaits, waitFigures } from "./contest-waits.ts";
import { Receiver } from "./receiver.ts";
import { Restate } from "./restate-server.ts";

/**
 * (f4) One call by HTTP for each record of a topic, in order per key over 1,000 keys, to a handler that keeps each
 * key's highest amount and count durably: Gavel's functions and Restate's Kafka subscription to a virtual object, on
 * the same Kafka. Throughput is of the same records, which are there before either begins. For the latency, Gavel's
 * records come through its gateway, whose acknowledgement it is, and Restate's from a producer.
 */
export const besideRestate: KafkaBenchmark = {
  title: "(f4) a call by HTTP for each record over Kafka, durable state per key",
  async run(setting, options) {
    const receiver = await Receiver.start();
    const peer = await startPeer(setting, options);
    try {
      const rates = await measureRates({ setting, receiver, peer: peer.restate }, options);
      const waits = await measureWaits({ setting, receiver, peer: peer.restate }, options);
      return [...rateFigures(rates, peer.name), ...waitFigures(waits, peer.name)];
    } finally {
      await peer.restate?.stop();
      await receiver.stop();
    }
  },
};

interface Peer {
  readonly restate: Restate | undefined;
  /** Or why it is left out. */
  readonly name: string;
}

async function startPeer({ brokers }: Setting, { progress }: BenchmarkOptions): Promise<Peer> {
  try {
    const restate = await Restate.start(brokers);
    return { restate, name: restate.name };
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    progress(`Restate is left out: ${why}`);
    return { restate: undefined, name: `Restate (it could not be started: ${why})` };
  }
}
