/** Hears what a log meets, for metrics and logs. */
export interface LogObserver {
  /** Kafka answered an error; by its name in the protocol. */
  brokerError(name: string): void;
}
