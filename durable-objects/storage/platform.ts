import type { PartitionStorage, SqlRow, SqlValue } from "../dependencies.ts";

/** A Durable Object's own storage, as its pure parts see it. */
export function platformStorage(storage: DurableObjectStorage): PartitionStorage {
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      storage.sql.exec<Row>(statement, ...parameters).toArray(),
    run: (statement, ...parameters) => void storage.sql.exec(statement, ...parameters),
    transaction: (body) => storage.transactionSync(body),
    sync: () => storage.sync(),
    setAlarm: (at) => storage.setAlarm(at),
    getAlarm: () => storage.getAlarm(),
  };
}
