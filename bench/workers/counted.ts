import type { PartitionStorage, SqlRow, SqlValue } from "../../durable-objects/dependencies.ts";
import type { KafkaLog } from "../../src/kafka/port.ts";
import type { Counters } from "../harness/counters.ts";

/** The object's storage as the product wires it, counting. Setting an alarm is billed as a row. */
export function countedStorage(storage: DurableObjectStorage, counters: Counters): PartitionStorage {
  const execute = <Row extends SqlRow>(statement: string, parameters: SqlValue[]): Row[] => {
    const cursor = storage.sql.exec<Row>(statement, ...parameters);
    const rows = cursor.toArray();
    counters.rowsWritten += cursor.rowsWritten;
    counters.rowsRead += cursor.rowsRead;
    return rows;
  };
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      execute<Row>(statement, parameters),
    run: (statement, ...parameters) => void execute(statement, parameters),
    transaction: (body) => {
      counters.transactions += 1;
      return storage.transactionSync(body);
    },
    sync: () => storage.sync(),
    setAlarm: (at) => {
      counters.rowsWritten += 1;
      return storage.setAlarm(at);
    },
    getAlarm: () => storage.getAlarm(),
  };
}

export function countedLog(log: KafkaLog, counters: Counters): KafkaLog {
  return {
    produce: (records, deadline) => {
      counters.produces += 1;
      counters.recordsProduced += records.length;
      return log.produce(records, deadline);
    },
    fetch: async (from, deadline) => {
      const answer = await log.fetch(from, deadline);
      counters.fetches += 1;
      counters.recordsFetched += answer.records.length;
      return answer;
    },
    offsets: (at, partitions, deadline) => log.offsets(at, partitions, deadline),
    topics: (deadline) => log.topics(deadline),
  };
}
