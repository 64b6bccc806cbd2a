import {
  apiVersionsV3,
  type Connection,
  fetchV13,
  fetchV14,
  fetchV15,
  fetchV16,
  fetchV17,
  initProducerIdV4,
  initProducerIdV5,
  listOffsetsV7,
  listOffsetsV8,
  listOffsetsV9,
  metadataV12,
  produceV10,
  produceV11,
  produceV9,
} from "@platformatic/kafka";
import { LogFailure } from "../log.ts";

/** The versions of the protocol's requests that both sides speak. */
export interface Protocol {
  readonly metadata: typeof metadataV12.api;
  readonly produce: { readonly version: number; readonly parseResponse: typeof produceV11.parseResponse };
  readonly fetch: typeof fetchV17.api;
  readonly listOffsets: typeof listOffsetsV9.api;
  readonly initProducerId: typeof initProducerIdV5.api;
}

const METADATA_KEY = 3;
const PRODUCE_KEY = 0;
const FETCH_KEY = 1;
const LIST_OFFSETS_KEY = 2;
const INIT_PRODUCER_ID_KEY = 22;

/**
 * Agrees on versions with the cluster. The lowest that are spoken are those of Kafka 3.1, the first
 * whose fetches name topics by id: an older one could not tell a topic from its successor.
 * @throws {LogFailure} `refused`, for a Kafka that is too old.
 */
export async function agreeOnProtocol(connection: Connection): Promise<Protocol> {
  const { apiKeys } = await apiVersionsV3.api.async(connection, "gavel-bridge", "1");
  const choose = <Api>(key: number, candidates: readonly (readonly [version: number, api: Api])[]): Api => {
    const offered = apiKeys.find(({ apiKey }) => apiKey === key);
    const found = candidates.find(
      ([version]) => offered !== undefined && version >= offered.minVersion && version <= offered.maxVersion,
    );
    if (found !== undefined) return found[1];
    const text = "this Kafka is too old for the bridge, or too new: it speaks with Kafka 3.1 and later";
    throw new LogFailure("refused", "none", text);
  };
  return {
    metadata: choose(METADATA_KEY, [[12, metadataV12.api]]),
    produce: choose(PRODUCE_KEY, [
      [11, { version: 11, parseResponse: produceV11.parseResponse }],
      [10, { version: 10, parseResponse: produceV10.parseResponse }],
      [9, { version: 9, parseResponse: produceV9.parseResponse }],
    ]),
    fetch: choose(FETCH_KEY, [
      [17, fetchV17.api],
      [16, fetchV16.api],
      [15, fetchV15.api],
      [14, fetchV14.api],
      [13, fetchV13.api],
    ]),
    listOffsets: choose(LIST_OFFSETS_KEY, [
      [9, listOffsetsV9.api],
      [8, listOffsetsV8.api],
      [7, listOffsetsV7.api],
    ]),
    initProducerId: choose(INIT_PRODUCER_ID_KEY, [
      [5, initProducerIdV5.api],
      [4, initProducerIdV4.api],
    ]),
  };
}
